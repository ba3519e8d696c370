import { lanes, taskMay, taskStates, type TaskAction } from '@muster/contract/task-states'
import type { Task, TaskCreate, TaskRow } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import { pageAfter, pageOf } from '../kernel/cursor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { newId } from '../kernel/ids.ts'
import type { Repos } from '../repos/repos.ts'
import { explain } from './explain.ts'
import { defaultTimeoutMs } from './limits.ts'
import * as fence from './sql/fence.ts'
import * as store from './store.ts'

export type Tasks = ReturnType<typeof createTasks>

/** What people do with tasks. What workers do with them is in lease.ts; both write state and event together. */
export function createTasks(deps: { agents: Agents; repos: Repos; events: Events; hints: Hints }) {
  const { agents, repos, events, hints } = deps

  const found = async (tx: Tx, ref: string) => {
    const row = await store.find(tx, ref)
    if (row === undefined) throw new MusterError('not_found', `No task has the id ${ref}.`)
    return row
  }
  const view = async (tx: Tx, row: store.StoredTask): Promise<Task> => {
    const needs = await store.dependencies(tx, row.id)
    const workers = row.state === 'queued' ? await agents.list(tx, await busy(tx)) : []
    const unmet = needs.filter((task) => task.state !== 'done')
    const reason = explain({ state: row.state, reason: row.reason, wall: row.spec.wall, unmet }, workers)
    return store.toTask(row, { after: needs.map((task) => task.id), reason })
  }
  const locked = async (tx: Tx, ref: string, action: TaskAction) => {
    const row = await store.lock(tx, (await found(tx, ref)).id)
    if (row === undefined) throw new MusterError('not_found', `No task has the id ${ref}.`)
    if (!taskMay(action, row.state)) {
      throw new MusterError(
        'task_state_refuses',
        `This task is ${row.state}; it cannot be ${pastOf[action]} now.`,
      )
    }
    return row
  }

  return {
    async submit(tx: Tx, actor: Actor, input: TaskCreate): Promise<Task> {
      refuseUnsupported(input)
      const repo = await repos.byName(tx, input.repo)
      const id = newId()
      const open = await openDependencies(tx, input.after)
      const row = await store.insert(tx, {
        workspaceId: actor.workspaceId,
        id,
        repoId: repo.id,
        repo: repo.name,
        title: input.title,
        description: input.description ?? null,
        spec: specOf(input),
        lane: lanes.indexOf(input.lane),
        tier: input.tier,
        state: open ? 'waiting' : 'queued',
        createdBy: actor.label,
      })
      await tx.query(
        `insert into task_dependencies (workspace_id, task_id, needs_id) select $1, $2, unnest($3::uuid[])`,
        [actor.workspaceId, id, [...new Set(input.after)]],
      )
      await events.publish(tx, actor, {
        kind: 'task.created',
        taskId: id,
        data: { title: row.title, repo: repo.name },
      })
      if (!open) await enqueue(tx, hints, row)
      return view(tx, row)
    },

    get: async (tx: Tx, ref: string): Promise<Task> => view(tx, await found(tx, ref)),

    idOf: async (tx: Tx, ref: string): Promise<string> => (await found(tx, ref)).id,

    async list(
      tx: Tx,
      query: {
        state?: string | undefined
        repo?: string | undefined
        limit: number
        cursor?: string | undefined
      },
    ): Promise<{ items: TaskRow[]; nextCursor: string | null }> {
      const rows = await store.list(tx, {
        states: statesOf(query.state),
        repo: query.repo ?? null,
        before: pageAfter(query.cursor),
        limit: query.limit + 1,
      })
      return pageOf(rows, query.limit, store.toTaskRow)
    },

    /**
     * Ends a task now. The raised epoch refuses whatever its run still sends. Answers the lease that was cut short,
     * so that the room of runs can end the run and tell its worker.
     */
    async cancel(tx: Tx, actor: Actor, ref: string) {
      // The queue row first and the task second, as every write of a run does: two orders would deadlock.
      await tx.query(fence.leave, [actor.workspaceId, (await found(tx, ref)).id])
      const row = await locked(tx, ref, 'cancel')
      await store.end(tx, {
        workspaceId: row.workspace_id,
        id: row.id,
        state: 'cancelled',
        ending: 'cancelled',
        reason: `Cancelled by ${actor.label}.`,
        raiseEpoch: true,
      })
      await events.publish(tx, actor, {
        kind: 'task.cancelled',
        taskId: row.id,
        ...(row.run_id === null ? {} : { runId: row.run_id }),
        data: { epoch: row.epoch, was: row.state },
      })
      const held =
        row.worker_id === null ? null : { taskId: row.id, epoch: row.epoch, workerId: row.worker_id }
      return { task: await view(tx, await found(tx, row.id)), held }
    },

    async retry(tx: Tx, actor: Actor, ref: string): Promise<Task> {
      const row = await locked(tx, ref, 'retry')
      await tx.query(
        `update tasks set state = 'queued', ending = null, reason = null, ended_at = null, deadline_at = null,
           losses = 0, worker_id = null, worker = null, branch = null, commit = null, checks = '[]'
         where id = $1`,
        [row.id],
      )
      await events.publish(tx, actor, { kind: 'task.retried', taskId: row.id })
      await enqueue(tx, hints, row)
      return view(tx, await found(tx, row.id))
    },

    /** Leases held, by worker. */
    busy,
  }
}

const pastOf = { cancel: 'cancelled', retry: 'retried' } as const

export async function busy(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ worker_id: string; held: number }>({
    name: 'tasks_busy',
    text: `select worker_id, count(*)::int as held from task_queue where worker_id is not null group by worker_id`,
  })
  return new Map(rows.map((row) => [row.worker_id, row.held]))
}

export async function enqueue(tx: Tx, hints: Hints, row: store.StoredTask): Promise<void> {
  await tx.query(fence.enqueue, [row.workspace_id, row.id, row.lane, row.spec.wall, row.epoch])
  tx.afterCommit(() => hints.send('queue'))
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

function specOf(input: TaskCreate): store.StoredTask['spec'] {
  return {
    run: input.run ?? null,
    prompt: input.prompt ?? null,
    checks: input.checks.map(({ kind, target, timeoutMs }) => ({
      kind,
      target,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })),
    needs: input.needs,
    mayChange: input.mayChange,
    allowEmpty: input.allowEmpty,
    wall: input.wall,
    network: input.network,
    timeoutMs: input.timeoutMs ?? defaultTimeoutMs[input.tier],
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

function statesOf(state: string | undefined): string[] | null {
  if (state === undefined) return null
  const wanted = state.split(',')
  const unknown = wanted.find((each) => !(taskStates as readonly string[]).includes(each))
  if (unknown !== undefined) {
    throw new MusterError('invalid_request', `state: ${unknown} is none of ${taskStates.join(', ')}`)
  }
  return wanted
}
