import { lanes } from '@muster/contract/task-states'
import type { TaskCreate } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { newId } from '../kernel/ids.ts'
import type { Repos } from '../repos/repos.ts'
import { guessTier } from './complexity.ts'
import { enqueue } from './enqueue.ts'
import { defaultTimeoutMs } from './limits.ts'
import { defaultRetries } from './retry-policy.ts'
import * as store from './store.ts'

/** Takes a task in: queued, or waiting while a task it depends on is not done. */
export async function submit(
  deps: { agents: Agents; repos: Repos; events: Events; hints: Hints },
  tx: Tx,
  actor: Actor,
  input: TaskCreate,
): Promise<store.StoredTask> {
  refuseUnsupported(input)
  refusePast(input)
  const repo = await (input.repo === undefined ? deps.repos.first(tx) : deps.repos.byName(tx, input.repo))
  const { worker: only = null } = input
  const onlyWorkerId = only === null ? null : await deps.agents.namedId(tx, only)
  const open = await openDependencies(tx, input.after)
  const guessed = guessTier(input)
  const row = await store.insert(tx, {
    workspace_id: actor.workspaceId,
    id: newId(),
    repo_id: repo.id,
    repo: repo.name,
    title: input.title,
    description: input.description ?? null,
    spec: specOf(input, input.tier ?? guessed, onlyWorkerId),
    lane: lanes.indexOf(input.lane),
    tier: input.tier ?? guessed,
    guessed_tier: guessed,
    retries: input.retries ?? defaultRetries(input),
    only_worker: only,
    state: open ? 'waiting' : 'queued',
    complete_by: input.completeBy ?? null,
    created_by: actor.label,
  })
  if (input.after.length > 0) {
    await tx.query(
      `insert into task_dependencies (workspace_id, task_id, needs_id) select $1, $2, unnest($3::uuid[])`,
      [actor.workspaceId, row.id, [...new Set(input.after)]],
    )
  }
  await deps.events.publish(tx, actor, {
    kind: 'task.created',
    taskId: row.id,
    // Both tiers, so that a heuristic that is often overruled can be seen to be wrong.
    data: { title: row.title, repo: repo.name, state: row.state, tier: row.tier, guessedTier: guessed },
  })
  if (!open) await enqueue(tx, deps.hints, row)
  return row
}

/** This version runs commands in namespace walls without a network; it says so instead of queueing for ever. */
function refuseUnsupported(input: TaskCreate): void {
  if (input.run === undefined) {
    const what = input.prompt === undefined ? 'neither a command nor a prompt' : 'a prompt but no command'
    throw new MusterError('prompt_not_supported', `The task has ${what}.`)
  }
  if (input.wall !== 'namespace') {
    throw new MusterError('wall_not_supported', `No worker of this version offers a ${input.wall} wall.`)
  }
  if (input.network !== 'none') {
    throw new MusterError(
      'wall_not_supported',
      `No wall of this version offers the network "${input.network}".`,
    )
  }
}

/** By this hub's clock, and only to answer early: whether the time has come is decided by the database. */
function refusePast({ completeBy, delayMs = 0 }: TaskCreate): void {
  if (completeBy !== undefined && Date.parse(completeBy) <= Date.now() + delayMs) {
    throw new MusterError('deadline_past', `It cannot be complete by ${completeBy}.`)
  }
}

function specOf(
  input: TaskCreate,
  tier: store.StoredTask['tier'],
  onlyWorkerId: string | null,
): store.StoredTask['spec'] {
  return {
    run: input.run ?? null,
    prompt: input.prompt ?? null,
    checks: input.checks.map(({ kind, target, timeoutMs }) => ({
      kind,
      target,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })),
    needs: [...new Set(input.needs)],
    fileHints: input.fileHints,
    criteria: input.criteria,
    metadata: input.metadata,
    onlyWorkerId,
    delayMs: input.delayMs ?? 0,
    ttlMs: input.ttlMs ?? null,
    mayChange: input.mayChange,
    allowEmpty: input.allowEmpty,
    wall: input.wall,
    network: input.network,
    timeoutMs: input.timeoutMs ?? defaultTimeoutMs[tier],
  }
}

/**
 * Whether any named task is not done yet. Locks them, so that one which ends at this moment either is seen done
 * here or sees this task as its dependent.
 */
async function openDependencies(tx: Tx, after: string[]): Promise<boolean> {
  const wanted = [...new Set(after)].toSorted()
  if (wanted.length === 0) return false
  const rows = await tx.query<{ id: string; state: string }>(
    `select id, state from tasks where id = any($1) order by id for share`,
    [wanted],
  )
  const missing = wanted.find((id) => !rows.some((row) => row.id === id))
  if (missing !== undefined) throw new MusterError('dependency_not_found', `No task has the id ${missing}.`)
  return rows.some((row) => row.state !== 'done')
}
