import type { Tx } from '../kernel/db.ts'
import { builtIn, isHubState, type CallCount, type CallLimit } from './call-limits.ts'
import type { HubState } from '@muster/contract/costs'

export async function limitOf(tx: Tx, state: HubState): Promise<CallLimit> {
  const [row] = await tx.query<CallLimit>(
    `select per_hour as "perHour", per_day as "perDay" from call_limits where state = $1`,
    [state],
  )
  return row ?? builtIn[state]
}

export async function setCallLimit(
  tx: Tx,
  workspaceId: string,
  state: HubState,
  { perHour, perDay }: CallLimit,
): Promise<void> {
  await tx.query(
    `insert into call_limits (workspace_id, state, per_hour, per_day) values ($1, $2, $3, $4)
     on conflict (workspace_id, state) do update set per_hour = $3, per_day = $4`,
    [workspaceId, state, perHour, perDay],
  )
}

const counts = `(count(*) filter (where at > now() - interval '1 hour'))::int as hour, count(*)::int as day`
/** A call that is under way is one, too: it is in the ledger only once it ended. */
const lastDay = `(select state, purpose, at from calls where at > now() - interval '1 day'
  union all select state, purpose, at from reservations where at > now() - interval '1 day') as asked`

export async function countOf(tx: Tx, state: HubState): Promise<CallCount> {
  const [row] = await tx.query<CallCount>(`select ${counts} from ${lastDay} where state = $1`, [state])
  return row ?? { hour: 0, day: 0 }
}

/** Of everything, for people and for the alert: by state, for the hub as a whole and for tasks. */
export async function countAll(tx: Tx) {
  const byState = await tx.query<CallCount & { state: string }>(
    `select state, ${counts} from ${lastDay} where state is not null group by state`,
  )
  const byPurpose = await tx.query<CallCount & { purpose: 'task' | 'hub' }>(
    `select purpose, ${counts} from ${lastDay} group by purpose`,
  )
  const none = { hour: 0, day: 0 }
  const of = (purpose: 'task' | 'hub'): CallCount => {
    const { hour, day } = byPurpose.find((each) => each.purpose === purpose) ?? none
    return { hour, day }
  }
  const states = new Map(
    byState.flatMap(({ state, hour, day }) => (isHubState(state) ? [[state, { hour, day }]] : [])),
  )
  return { states, hub: of('hub'), tasks: of('task') }
}

/** True once an hour for each thing, whoever asks at the same time. */
export async function mayAlert(tx: Tx, workspaceId: string, kind: string, about: string): Promise<boolean> {
  const told = await tx.query(
    `insert into cost_alerts as a (workspace_id, kind, about) values ($1, $2, $3)
     on conflict (workspace_id, kind, about) do update set at = now() where a.at < now() - interval '1 hour'
     returning kind`,
    [workspaceId, kind, about],
  )
  return told.length > 0
}
