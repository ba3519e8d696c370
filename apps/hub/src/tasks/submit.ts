import type { Task, TaskCreate } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import { refusedOr, type Outcome } from '../kernel/batches.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Repos } from '../repos/repos.ts'
import { enqueue } from './enqueue.ts'
import type { Look } from './look.ts'
import { newTask, refusePast, refuseUnsupported, type Meant } from './new-task.ts'
import * as store from './store.ts'

export type Submission = { actor: Actor; input: TaskCreate }
type Deps = { agents: Agents; repos: Repos; events: Events; hints: Hints; look: Look }

/**
 * Takes tasks of one workspace in, in a handful of statements however many they are: queued, or waiting while a task
 * they depend on is not done. A refused one is answered as such, in its place, and leaves nothing behind.
 */
export async function submitAll(
  deps: Deps,
  tx: Tx,
  workspaceId: string,
  submissions: Submission[],
): Promise<Outcome<Task>[]> {
  const meaning = await understand(deps, tx, submissions)
  const drafts = submissions.map(({ actor, input }) =>
    refusedOr(() => {
      refuseUnsupported(input)
      refusePast(input)
      return newTask(actor, input, meaning(input))
    }),
  )
  const taken = drafts.flatMap((draft, at) =>
    draft.status === 'fulfilled' ? [{ ...(submissions[at] as Submission), task: draft.value }] : [],
  )
  const rows = await insert(
    tx,
    workspaceId,
    taken.map(({ task }) => task),
  )
  // None needs another's answer, so all go out together.
  const [queued, , , facts] = await Promise.all([
    enqueue(
      tx,
      deps.hints,
      [...rows.values()].filter((row) => row.state === 'queued'),
    ),
    insertDependencies(tx, workspaceId, taken),
    deps.events.publishEach(
      tx,
      taken.map(({ actor, task }) => ({ actor, event: created(task) })),
    ),
    deps.look.factsOf(tx, [...rows.values()]),
  ])
  for (const { task_id: id, not_before, expires_at } of queued) {
    Object.assign(rows.get(id) as store.StoredTask, { not_before, expires_at })
  }
  return drafts.map((draft) =>
    draft.status === 'rejected'
      ? draft
      : { status: 'fulfilled', value: deps.look.show(rows.get(draft.value.id) as store.StoredTask, facts) },
  )
}

async function insert(tx: Tx, workspaceId: string, tasks: store.NewTask[]) {
  const rows = tasks.length === 0 ? [] : await store.insertAll(tx, workspaceId, tasks)
  const byId = new Map(rows.map((row) => [row.id, row]))
  // In the order in which they were handed in, which is the order of the queue.
  return new Map(tasks.map(({ id }) => [id, byId.get(id) as store.StoredTask]))
}

function created(task: store.NewTask) {
  const { title, repo, state, tier, guessed_tier: guessedTier } = task
  // Both tiers, so that a heuristic that is often overruled can be seen to be wrong.
  return { kind: 'task.created' as const, taskId: task.id, data: { title, repo, state, tier, guessedTier } }
}

/** Looks every name up once. What it answers throws for an input that names what is not there. */
async function understand({ agents, repos }: Deps, tx: Tx, submissions: Submission[]) {
  const inputs = submissions.map(({ input }) => input)
  const repoOf = await eachOnce(
    inputs.map((input) => input.repo),
    (name) => (name === undefined ? repos.first(tx) : repos.byName(tx, name)),
  )
  const workerOf = await eachOnce(
    inputs.flatMap((input) => input.worker ?? []),
    (name) => agents.namedId(tx, name),
  )
  const states = await lockNamed(tx, inputs)
  return (input: TaskCreate): Meant => {
    const missing = input.after.find((id) => !states.has(id))
    const repo = repoOf(input.repo)
    const onlyWorkerId = input.worker === undefined ? null : workerOf(input.worker)
    if (missing !== undefined) throw new MusterError('dependency_not_found', `No task has the id ${missing}.`)
    return { repo, onlyWorkerId, isOpen: input.after.some((id) => states.get(id) !== 'done') }
  }
}

async function eachOnce<K, V>(keys: K[], look: (key: K) => Promise<V>): Promise<(key: K) => V> {
  const found = new Map<K, Outcome<V>>()
  for (const key of new Set(keys)) found.set(key, await refusedOr(() => look(key)))
  return (key) => {
    const outcome = found.get(key)
    if (outcome?.status === 'fulfilled') return outcome.value
    throw outcome?.reason
  }
}

/**
 * States of the tasks that are named in `after`. Locks them, so that one which ends at this moment either is seen done
 * here or sees the new task as its dependent.
 */
async function lockNamed(tx: Tx, inputs: TaskCreate[]): Promise<Map<string, string>> {
  const ids = [...new Set(inputs.flatMap((input) => input.after))]
  if (ids.length === 0) return new Map()
  const rows = await tx.query<{ id: string; state: string }>(lock, [ids])
  return new Map(rows.map((row) => [row.id, row.state]))
}

const lock = {
  name: 'tasks_lock_named',
  text: 'select id, state from tasks where id = any($1) order by id for share',
}

async function insertDependencies(
  tx: Tx,
  workspaceId: string,
  taken: { input: TaskCreate; task: store.NewTask }[],
): Promise<void> {
  const pairs = taken.flatMap(({ input, task }) =>
    [...new Set(input.after)].map((id) => [task.id, id] as const),
  )
  if (pairs.length === 0) return
  await tx.query(depend, [workspaceId, pairs.map(([id]) => id), pairs.map(([, needs]) => needs)])
}

const depend = {
  name: 'tasks_depend',
  text: `insert into task_dependencies (workspace_id, task_id, needs_id)
         select $1, d.* from unnest($2::uuid[], $3::uuid[]) as d`,
}
