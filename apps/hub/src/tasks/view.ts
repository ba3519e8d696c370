import type { Task } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Tx } from '../kernel/db.ts'
import type { Repos } from '../repos/repos.ts'
import { explain, type Around } from './explain.ts'
import type { QueueLimits } from './limits.ts'
import { isPaused } from './settings.ts'
import * as store from './store.ts'

const nothingAround: Around = { workers: [], paused: false, running: 0, maxRunning: 0 }

/** Rows of tasks as people see them, with the reason why each is where it is. */
export function createView({ agents, repos, limits }: { agents: Agents; repos: Repos; limits: QueueLimits }) {
  const around = async (tx: Tx): Promise<Around> => {
    const [held, listed, paused] = await Promise.all([busy(tx), agents.list(tx, new Map()), isPaused(tx)])
    const running = [...held.values()].reduce((sum, count) => sum + count, 0)
    const workers = listed.map((worker) => ({ ...worker, busy: held.get(worker.id) ?? 0 }))
    return { workers, paused, running, maxRunning: limits.maxRunning }
  }
  /** What these rows are shown by. Its statements go out at once, with whatever else is under way. */
  const factsOf = async (tx: Tx, rows: store.StoredTask[]) => {
    const [now, named, needed] = await Promise.all([
      rows.some((row) => row.state === 'queued') ? around(tx) : nothingAround,
      repos.byIds(tx, [...new Set(rows.map((row) => row.repo_id))]),
      store.dependenciesOf(
        tx,
        rows.map((row) => row.id),
      ),
    ])
    return { now, named, needed }
  }
  const show = (row: store.StoredTask, { now, named, needed }: Facts): Task => {
    const needs = needed.filter((task) => task.task_id === row.id)
    const shown = {
      ...row,
      wall: row.spec.wall,
      needs: row.spec.needs,
      onlyWorker: row.spec.onlyWorkerId,
      onlyWorkerName: row.only_worker,
      notBefore: row.not_before,
      repo: { name: row.repo, active: named.get(row.repo_id)?.active ?? false },
      unmet: needs.filter((task) => task.state !== 'done'),
    }
    return store.toTask(row, { after: needs.map((task) => task.id), reason: explain(shown, now) })
  }
  type Facts = Awaited<ReturnType<typeof factsOf>>
  const view = async (tx: Tx, row: store.StoredTask) => show(row, await factsOf(tx, [row]))
  return { around, view, factsOf, show }
}

/** Leases held, by worker. */
export async function busy(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ worker_id: string; held: number }>({
    name: 'tasks_busy',
    text: `select worker_id, count(*)::int as held from task_queue where worker_id is not null group by worker_id`,
  })
  return new Map(rows.map((row) => [row.worker_id, row.held]))
}
