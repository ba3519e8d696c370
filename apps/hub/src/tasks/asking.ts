import type { Tier } from '@muster/contract/task-states'
import type { Tx } from '../kernel/db.ts'
import type { Asking } from '../models/supply.ts'
import type { Usage } from './dispatch.ts'
import { practiceModel } from './new-task.ts'

export type AskingRow = {
  repo_id: string
  executor: string
  tier: Tier
  model: string | null
  /** Since it could be assigned. */
  waited_ms: number
}

/** What a row of the queue asks of a model; null for a command and for the practice model. */
export function askingOf({ executor, tier, model, waited_ms, repo_id }: AskingRow): Asking | null {
  if (executor === 'shell' || model === practiceModel) return null
  return { tier, model, waitedMs: waited_ms, repoId: repo_id }
}

const held = {
  name: 'tasks_held_endpoints',
  text: `select endpoint_id, repo_id, count(*)::int as held from task_queue
         where workspace_id = $1 and worker_id is not null and endpoint_id is not null group by endpoint_id, repo_id`,
}

/** Runs of a workspace by the endpoint that they use. */
export async function usageOf(tx: Tx, workspaceId: string): Promise<Usage> {
  const rows = await tx.query<{ endpoint_id: string; repo_id: string; held: number }>(held, [workspaceId])
  const running = new Map<string, number>()
  const byRepo = new Map<string, Set<string>>()
  for (const row of rows) {
    running.set(row.endpoint_id, (running.get(row.endpoint_id) ?? 0) + row.held)
    byRepo.set(row.repo_id, (byRepo.get(row.repo_id) ?? new Set()).add(row.endpoint_id))
  }
  return { running, byRepo }
}

const wanted = {
  name: 'tasks_wanted_models',
  text: `select model, count(*)::int as tasks from task_queue
         where worker_id is null and model is not null and model <> '${practiceModel}' group by model order by model limit 100`,
}

/** Models that waiting tasks name, and how many wait for each. */
export function wantedModels(tx: Tx): Promise<{ model: string; tasks: number }[]> {
  return tx.query(wanted)
}
