import type { HubState } from '@muster/contract/costs'
import type { Tx } from '../kernel/db.ts'
import type { BudgetRow, Scope } from './budget.ts'
import type { Price } from './prices.ts'

export type ScopeIds = {
  workspaceId: string
  goalId: string | null
  taskId: string | null
  runId: string | null
  /** None for the hub's own calls. */
  workerId?: string | null
}

/** Scopes and ids of a call, from the workspace down. */
export function scopesOf({
  workspaceId,
  workerId = null,
  goalId,
  taskId,
  runId,
}: ScopeIds): { scope: Scope; id: string }[] {
  const all: [Scope, string | null][] = [
    ['workspace', workspaceId],
    ['worker', workerId],
    ['goal', goalId],
    ['task', taskId],
    ['run', runId],
  ]
  return all.flatMap(([scope, id]) => (id === null ? [] : [{ scope, id }]))
}

/** Makes the rows that are missing, one after the other from the workspace down, and locks all of them in that order. */
export async function lockBudgets(tx: Tx, ids: ScopeIds): Promise<BudgetRow[]> {
  const rows: BudgetRow[] = []
  for (const { scope, id } of scopesOf(ids)) {
    const [row] = await tx.query<{ scope: Scope; limit: string | null; spent: string; reserved: string }>(
      lockOne,
      [ids.workspaceId, scope, id],
    )
    if (row === undefined) throw new Error(`the budget of ${scope} ${id} could not be locked`)
    const { limit, spent, reserved } = row
    rows.push({
      scope,
      limit: limit === null ? null : Number(limit),
      spent: Number(spent),
      reserved: Number(reserved),
    })
  }
  return rows
}

// An update that changes nothing locks the row, whether it was there or is new: one statement, no race between the two.
const lockOne = {
  name: 'costs_lock_budget',
  text: `insert into budgets as b (workspace_id, scope, scope_id) values ($1, $2, $3)
         on conflict (workspace_id, scope, scope_id) do update set spent_microusd = b.spent_microusd
         returning scope, limit_microusd as limit, spent_microusd as spent, reserved_microusd as reserved`,
}

/** Adds to what is reserved and spent, on rows that the caller has locked or locks now in the same order. */
export async function addTo(tx: Tx, ids: ScopeIds, add: { reserved: number; spent: number }): Promise<void> {
  for (const { scope, id } of scopesOf(ids)) {
    await tx.query(addOne, [ids.workspaceId, scope, id, add.reserved, add.spent])
  }
}

const addOne = {
  name: 'costs_add_to_budget',
  text: `update budgets set reserved_microusd = reserved_microusd + $4, spent_microusd = spent_microusd + $5
         where workspace_id = $1 and scope = $2 and scope_id = $3`,
}

export async function setLimit(
  tx: Tx,
  workspaceId: string,
  { scope, id }: { scope: Scope; id: string },
  limit: number | null,
): Promise<void> {
  await tx.query(
    `insert into budgets (workspace_id, scope, scope_id, limit_microusd) values ($1, $2, $3, $4)
     on conflict (workspace_id, scope, scope_id) do update set limit_microusd = $4`,
    [workspaceId, scope, id, limit],
  )
}

/** Of a workspace it is what all scopes within it add up to. What never spent has no row yet. */
export async function findBudget(
  tx: Tx,
  { scope, id }: { scope: Scope; id: string },
): Promise<Omit<BudgetRow, 'scope'>> {
  const [row] = await tx.query<{ limit: string | null; spent: string; reserved: string }>(
    `select limit_microusd as limit, spent_microusd as spent, reserved_microusd as reserved
     from budgets where scope = $1 and scope_id = $2`,
    [scope, id],
  )
  if (row === undefined) return { limit: null, spent: 0, reserved: 0 }
  return {
    limit: row.limit === null ? null : Number(row.limit),
    spent: Number(row.spent),
    reserved: Number(row.reserved),
  }
}

export type Reservation = ScopeIds & {
  id: string
  purpose: 'task' | 'hub'
  /** Of the hub's own calls: what it was doing. */
  state: HubState | null
  worker: string | null
  agent: string
  model: string
  provider: string
  endpoint: string
  max: number
}

export async function insertReservation(tx: Tx, each: Reservation): Promise<void> {
  await tx.query(insertOne, [
    each.workspaceId,
    each.id,
    each.taskId,
    each.runId,
    each.goalId,
    each.purpose,
    each.agent,
    each.model,
    each.provider,
    each.endpoint,
    each.max,
    each.state,
    each.worker,
    each.workerId ?? null,
  ])
}

const insertOne = {
  name: 'costs_reserve',
  text: `insert into reservations (workspace_id, id, task_id, run_id, goal_id, purpose, agent, model, provider, endpoint,
           max_microusd, state, worker, worker_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
}

type ReservationRow = {
  id: string
  workspace_id: string
  task_id: string | null
  run_id: string | null
  goal_id: string | null
  purpose: 'task' | 'hub'
  state: HubState | null
  worker: string | null
  worker_id: string | null
  agent: string
  model: string
  provider: string
  endpoint: string
  max_microusd: string
}

/** Removes a reservation and answers it; whoever comes second finds none, so it is settled once. */
export async function takeReservation(tx: Tx, id: string): Promise<Reservation | undefined> {
  const [row] = await tx.query<ReservationRow>(takeOne, [id])
  if (row === undefined) return undefined
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    taskId: row.task_id,
    runId: row.run_id,
    goalId: row.goal_id,
    purpose: row.purpose,
    state: row.state,
    worker: row.worker,
    workerId: row.worker_id,
    agent: row.agent,
    model: row.model,
    provider: row.provider,
    endpoint: row.endpoint,
    max: Number(row.max_microusd),
  }
}

const takeOne = { name: 'costs_take_reservation', text: 'delete from reservations where id = $1 returning *' }

export async function overdue(tx: Tx, seconds: number): Promise<{ id: string }[]> {
  return tx.query<{ id: string }>(
    'select id from reservations where at < now() - make_interval(secs => $1) order by at limit 500',
    [seconds],
  )
}

export type NewCall = {
  workspaceId: string
  id: string
  purpose: 'task' | 'hub'
  state: string | null
  worker: string | null
  taskId: string | null
  runId: string | null
  agent: string
  model: string
  provider: string
  endpoint: string
  costClass: 'free' | 'local' | 'api'
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  cost: number
  saved: number
  ok: boolean
  isMaximum: boolean
}

export async function insertCall(tx: Tx, call: NewCall): Promise<void> {
  await tx.query(insertCallStatement, [
    call.workspaceId,
    call.id,
    call.purpose,
    call.state,
    call.taskId,
    call.runId,
    call.agent,
    call.model,
    call.provider,
    call.endpoint,
    call.costClass,
    call.inputTokens,
    call.outputTokens,
    call.cacheReadTokens,
    call.cacheWriteTokens,
    call.cost,
    call.saved,
    call.ok,
    call.isMaximum,
    call.worker,
  ])
}

const insertCallStatement = {
  name: 'costs_insert_call',
  text: `insert into calls (workspace_id, id, purpose, state, task_id, run_id, agent, model, provider, endpoint, cost_class,
           input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microusd, saved_microusd, ok, is_maximum,
           worker)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
}

type PriceRow = Record<'input' | 'output' | 'read' | 'write', string>
const priceColumns = `input_microusd as input, output_microusd as output, cache_read_microusd as read,
  cache_write_microusd as write`

const priceIn = ({ input, output, read, write }: PriceRow): Price => ({
  input: Number(input),
  output: Number(output),
  cacheRead: Number(read),
  cacheWrite: Number(write),
})

export async function ownPrice(tx: Tx, model: string): Promise<Price | undefined> {
  const [row] = await tx.query<PriceRow>(ownPriceOf, [model])
  return row === undefined ? undefined : priceIn(row)
}

const ownPriceOf = {
  name: 'costs_own_price',
  text: `select ${priceColumns} from prices where model = $1`,
}

/** By model. */
export async function ownPrices(tx: Tx): Promise<[model: string, Price][]> {
  const rows = await tx.query<PriceRow & { model: string }>(
    `select model, ${priceColumns} from prices order by model limit 1000`,
  )
  return rows.map((row) => [row.model, priceIn(row)])
}

export async function setOwnPrice(tx: Tx, workspaceId: string, model: string, price: Price): Promise<void> {
  await tx.query(
    `insert into prices (workspace_id, model, input_microusd, output_microusd, cache_read_microusd, cache_write_microusd)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (workspace_id, model) do update set input_microusd = $3, output_microusd = $4,
       cache_read_microusd = $5, cache_write_microusd = $6, set_at = now()`,
    [workspaceId, model, price.input, price.output, price.cacheRead, price.cacheWrite],
  )
}

/** Whether there was one. */
export async function removeOwnPrice(tx: Tx, model: string): Promise<boolean> {
  return (await tx.query('delete from prices where model = $1 returning model', [model])).length > 0
}
