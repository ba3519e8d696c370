import type { ChosenModel } from '@muster/contract/loop'
import { createHash, randomBytes } from 'node:crypto'
import type { Db, Tx } from '../kernel/db.ts'
import { stale } from '../tasks/hold.ts'
import type { Leases } from '../tasks/lease.ts'

/** Who asks through the gateway. */
export type GatewayRun = {
  workspaceId: string
  runId: string
  taskId: string
  epoch: number
  workerId: string
  /** Its name. */
  worker: string
  agent: string
  model: ChosenModel
  budgetMicroUsd: number | null
}

export function newGatewayToken(): string {
  return `muster_run_${randomBytes(32).toString('base64url')}`
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

type Row = {
  workspace_id: string
  id: string
  task_id: string
  epoch: number
  worker_id: string
  worker: string
  agent: string
  model: ChosenModel
  budget_microusd: string | null
}

/** What the gateway asks of runs: whose token it is, whether its run still counts, and what it has cost. */
export function createGatewayAccess({ db, leases }: { db: Db; leases: Leases }) {
  return {
    async byGatewayToken(token: string): Promise<GatewayRun | undefined> {
      const [row] = await db.askAsSystem<Row>(byToken, [hashOf(token)])
      if (row === undefined) return undefined
      return {
        workspaceId: row.workspace_id,
        runId: row.id,
        taskId: row.task_id,
        epoch: row.epoch,
        workerId: row.worker_id,
        worker: row.worker,
        agent: row.agent,
        model: row.model,
        budgetMicroUsd: row.budget_microusd === null ? null : Number(row.budget_microusd),
      }
    },

    /** Refuses with `stale_epoch` a run whose lease is gone, for its work would not count. */
    async mustBeHeld(tx: Tx, { taskId, epoch, workerId }: GatewayRun): Promise<void> {
      const held = { taskId, epoch, workerId }
      if (!(await leases.isHeld(tx, held))) throw stale(held)
    },

    async addCost(tx: Tx, runId: string, microUsd: number): Promise<void> {
      await tx.query(add, [runId, microUsd])
    },
  }
}

const byToken = {
  name: 'runs_by_gateway_token',
  text: `select workspace_id, id, task_id, epoch, worker_id, worker, agent, model, budget_microusd from runs
         where gateway_token_hash = $1 and ending is null`,
}

const add = {
  name: 'runs_add_cost',
  text: 'update runs set cost_microusd = cost_microusd + $2 where id = $1',
}
