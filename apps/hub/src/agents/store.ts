import type { AgentState, Blocked, Resources, Supervisor, Worker, WallStatus } from '@muster/contract/workers'
import type { Tx } from '../kernel/db.ts'

export type WorkerRow = {
  id: string
  name: string
  instance: string | null
  client: string | null
  version: string | null
  host: string | null
  slots: number
  capabilities: string[]
  walls: WallStatus[]
  state: AgentState
  flagged_at: Date | null
  status: string
  supervisor: Supervisor | null
  blocked: Blocked | null
  restarting: boolean
  resources: Resources | null
  connected_hub: string | null
  cordoned: string | null
  last_seen_at: Date | null
  /** By the database's clock: seen within the time in which a connected worker is always seen. */
  fresh: boolean
  created_at: Date
}

// Hubs refresh what they hold every 5 s; three missed refreshes mean that the hub is gone too.
const freshFor = `interval '15 seconds'`
const fresh = `coalesce(last_seen_at > now() - ${freshFor}, false) and connected_hub is not null as fresh`
// LLM-14.
const resources = `case when resources_at > now() - interval '90 seconds' then resources end as resources`
const columns = `id, name, instance, client, version, host, slots, capabilities, walls, state, flagged_at, status, supervisor,
  blocked, restarting, ${resources}, connected_hub, cordoned, last_seen_at, ${fresh}, created_at`

export function list(tx: Tx): Promise<WorkerRow[]> {
  return tx.query<WorkerRow>({
    name: 'workers_list',
    text: `select ${columns} from workers order by name limit 1000`,
  })
}

/** By name or by id; a name has no form of an id. */
export async function find(tx: Tx, ref: string): Promise<WorkerRow | undefined> {
  return (
    await tx.query<WorkerRow>(`select ${columns} from workers where name = $1 or id::text = $1`, [ref])
  )[0]
}

export async function lock(tx: Tx, id: string): Promise<WorkerRow | undefined> {
  return (await tx.query<WorkerRow>(`select ${columns} from workers where id = $1 for update`, [id]))[0]
}

export async function byName(tx: Tx, name: string): Promise<WorkerRow | undefined> {
  return (
    await tx.query<WorkerRow>(
      { name: 'workers_by_name', text: `select ${columns} from workers where name = $1` },
      [name],
    )
  )[0]
}

export type Machine = Pick<WorkerRow, 'id' | 'host' | 'supervisor' | 'resources'>

/** Of these workers, those that this hub still holds and that may have tasks, with the machine of each. */
export async function assignable(tx: Tx, ids: string[], hubId: string): Promise<Map<string, Machine>> {
  const rows = await tx.query<Machine>(
    {
      name: 'workers_assignable',
      text: `select id, host, supervisor, ${resources} from workers
             where id = any($1) and connected_hub = $2 and cordoned is null`,
    },
    [ids, hubId],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

export async function setCordoned(tx: Tx, id: string, why: string | null): Promise<void> {
  await tx.query('update workers set cordoned = $2 where id = $1', [id, why])
}

/** Under a system transaction too, so the workspace is named. */
export async function flag(tx: Tx, workspaceId: string, id: string): Promise<void> {
  await tx.query('update workers set flagged_at = now() where workspace_id = $1 and id = $2', [
    workspaceId,
    id,
  ])
}

export async function insert(
  tx: Tx,
  worker: { workspaceId: string; id: string; name: string },
): Promise<void> {
  await tx.query('insert into workers (workspace_id, id, name) values ($1, $2, $3)', [
    worker.workspaceId,
    worker.id,
    worker.name,
  ])
}

export async function connect(
  tx: Tx,
  worker: {
    id: string
    instance: string
    client?: string | undefined
    version?: string | undefined
    host?: string | undefined
    slots: number
    capabilities: string[]
    walls: WallStatus[]
    supervisor?: Supervisor | undefined
    blocked?: Blocked | undefined
    hubId: string
  },
): Promise<void> {
  await tx.query(
    `update workers set instance = $2, client = $3, version = $4, host = $5, slots = $6, capabilities = $7,
       walls = $8, connected_hub = $9, supervisor = $10, blocked = $11, restarting = false, last_seen_at = now()
     where id = $1`,
    [
      worker.id,
      worker.instance,
      worker.client ?? null,
      worker.version ?? null,
      worker.host ?? null,
      worker.slots,
      worker.capabilities,
      JSON.stringify(worker.walls),
      worker.hubId,
      jsonOrNull(worker.supervisor),
      jsonOrNull(worker.blocked),
    ],
  )
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}

/** Answers why it took no work before. */
export async function setCondition(
  tx: Tx,
  id: string,
  now: { supervisor: Supervisor; blocked: Blocked | null; resources?: Resources | undefined },
): Promise<Blocked | null> {
  const [before] = await tx.query<{ blocked: Blocked | null }>(
    {
      name: 'workers_set_condition',
      text: `update workers w set supervisor = $2, blocked = $3, resources = $4,
             resources_at = case when $4::jsonb is not null then now() end
           from (select id, blocked from workers where id = $1 for update) before
           where w.id = before.id returning before.blocked`,
    },
    [id, JSON.stringify(now.supervisor), jsonOrNull(now.blocked), jsonOrNull(now.resources)],
  )
  return before?.blocked ?? null
}

export async function orderRestart(tx: Tx, id: string, order: { force: boolean; by: string }): Promise<void> {
  await tx.query('update workers set restart_order = $2, restart_ordered_at = now() where id = $1', [
    id,
    JSON.stringify(order),
  ])
}

/** Of these workers; an order that nobody passed on in time is void, because its giver was told so. */
export const openOrders = {
  name: 'workers_open_orders',
  text: `select id, restart_order as order, restart_ordered_at::text as at from workers
         where id = any($1) and restart_order is not null and restart_ordered_at > now() - interval '10 seconds'`,
}

export async function isOrderOpen(tx: Tx, id: string): Promise<boolean> {
  return (
    (await tx.query('select 1 from workers where id = $1 and restart_order is not null', [id])).length > 0
  )
}

export async function voidOrder(tx: Tx, id: string): Promise<void> {
  await tx.query('update workers set restart_order = null where id = $1', [id])
}

export async function setRestarting(tx: Tx, id: string): Promise<void> {
  await tx.query('update workers set restarting = true, restart_order = null where id = $1', [id])
}

export async function setWalls(tx: Tx, id: string, walls: WallStatus[]): Promise<void> {
  await tx.query('update workers set walls = $2 where id = $1', [id, JSON.stringify(walls)])
}

/** False when it says so already. */
export async function setStatus(tx: Tx, id: string, status: string): Promise<boolean> {
  const rows = await tx.query('update workers set status = $2 where id = $1 and status <> $2 returning id', [
    id,
    status,
  ])
  return rows.length > 0
}

/** Everybody in these workspaces, asked each second by every hub: the loop that tells who came and went. */
export const present = {
  name: 'workers_present',
  text: `select workspace_id, id, name, status, ${fresh} from workers where workspace_id = any($1)`,
}

/** Here within so many days, or made within them. */
export const reachable = `select id from workers
  where coalesce(last_seen_at, created_at) > now() - make_interval(days => $1) order by id`

/** Only while this hub still holds it: the worker may have come back through another hub meanwhile. */
export async function disconnect(tx: Tx, id: string, hubId: string): Promise<boolean> {
  const rows = await tx.query(
    'update workers set connected_hub = null where id = $1 and connected_hub = $2 returning id',
    [id, hubId],
  )
  return rows.length > 0
}

export const seen = {
  name: 'workers_seen',
  text: 'update workers set last_seen_at = now() where id = any($1) and connected_hub = $2 returning id',
}

/** The recorded state changes with the worker's own words; that it holds work is seen where the leases are. */
function shownState(row: WorkerRow, busy: number): AgentState {
  if (!row.fresh) return 'offline'
  return row.state === 'idle' && busy > 0 ? 'working' : row.state
}

export function toWorker(row: WorkerRow, busy: number): Worker {
  return {
    id: row.id,
    name: row.name,
    connected: row.fresh,
    // Until its hub is found to be gone, its row still says what it was.
    state: shownState(row, busy),
    flaggedAt: row.flagged_at?.toISOString() ?? null,
    status: row.status,
    version: row.version,
    client: row.client,
    capabilities: row.capabilities,
    slots: row.slots,
    busy,
    cordoned: row.cordoned,
    walls: row.walls,
    host: row.host,
    supervisor: row.supervisor,
    blocked: row.blocked,
    restarting: row.restarting,
    resources: row.resources,
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }
}
