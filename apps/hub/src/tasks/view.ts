import type { Task } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Tx } from '../kernel/db.ts'
import type { Models } from '../models/models.ts'
import type { Repos } from '../repos/repos.ts'
import { askingOf, usageOf } from './asking.ts'
import { noModels } from './dispatch.ts'
import { explain, type Around } from './explain.ts'
import type { QueueLimits } from './limits.ts'
import { isPaused } from './settings.ts'
import * as store from './store.ts'

const nothingAround: Around = { workers: [], paused: false, running: 0, maxRunning: 0, models: noModels }

/** Rows of tasks as people see them, with the reason why each is where it is. */
export function createView(deps: { agents: Agents; models: Models; repos: Repos; limits: QueueLimits }) {
  const { agents, repos, limits } = deps
  const around = async (tx: Tx): Promise<Around> => {
    const [held, listed, paused] = await Promise.all([busy(tx), agents.list(tx, new Map()), isPaused(tx)])
    const running = [...held.values()].reduce((sum, count) => sum + count, 0)
    const workers = listed.map((worker) => ({ ...worker, busy: held.get(worker.id) ?? 0 }))
    return { workers, paused, running, maxRunning: limits.maxRunning, models: noModels }
  }
  /** With what those that ask for a model wait for. */
  const aroundOf = async (tx: Tx, queued: store.StoredTask[]): Promise<Around> => {
    const [first] = queued
    if (first === undefined) return nothingAround
    const now = await around(tx)
    if (!queued.some((row) => askingFor(row) !== null)) return now
    const [supply, usage] = await Promise.all([
      deps.models.supply(tx, now.workers),
      usageOf(tx, first.workspace_id),
    ])
    return { ...now, models: { supply, usage } }
  }
  /** What these rows are shown by. Its statements go out at once, with whatever else is under way. */
  const factsOf = async (tx: Tx, rows: store.StoredTask[]) => {
    const [now, named, needed] = await Promise.all([
      aroundOf(
        tx,
        rows.filter((row) => row.state === 'queued'),
      ),
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
      model: askingFor(row),
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

/** As its row in the queue would say it; by this hub's clock, because it is only shown. */
function askingFor({ spec, tier, repo_id, created_at, not_before }: store.StoredTask) {
  const since = Math.max(created_at.getTime(), not_before?.getTime() ?? 0)
  const executor = spec.prompt === null ? 'shell' : 'loop'
  return askingOf({ repo_id, executor, tier, model: spec.model, waited_ms: Date.now() - since })
}

/** Leases held, by worker. */
export async function busy(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ worker_id: string; held: number }>({
    name: 'tasks_busy',
    text: `select worker_id, count(*)::int as held from task_queue where worker_id is not null group by worker_id`,
  })
  return new Map(rows.map((row) => [row.worker_id, row.held]))
}
