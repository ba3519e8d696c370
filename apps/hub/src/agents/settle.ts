import type { AgentState } from '@muster/contract/workers'
import type { Actor } from '../kernel/actor.ts'
import type { Statement, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import { become, stateOf, stepsTo } from './agent-state.ts'

/** The leases of a worker: those that it has not accepted yet, and those that it has. */
export type Holds = (
  tx: Tx,
  worker: { workspaceId: string; workerId: string },
) => Promise<{ assigned: number; accepted: number }>

type Row = { name: string; state: AgentState; connected: boolean; blocked: boolean }

export type Settle = ReturnType<typeof createSettle>

/**
 * Brings the recorded state of a worker to what its facts say now, one allowed step at a time, each with its event.
 * It belongs at the end of every transaction that changes one of these facts: a lease is given, accepted or ended, a
 * socket opens or closes, walls work or do not. Called without a change it writes nothing.
 *
 * The row is locked before the leases are read. Of two transactions that each change one of two leases of a worker, the
 * second must see what the first has done; without the lock, both could record what was true of neither. At the end,
 * because the lock is held until the commit.
 */
export function createSettle({ events, holds }: { events: Events; holds: Holds }) {
  return async function settle(tx: Tx, actor: Actor, workerId: string, why: string): Promise<void> {
    const { workspaceId } = actor
    const [row] = await tx.query<Row>(lockFacts, [workspaceId, workerId])
    if (row === undefined) return
    const { name, connected, blocked } = row
    const held = connected ? await holds(tx, { workspaceId, workerId }) : { assigned: 0, accepted: 0 }
    let state = row.state
    for (const step of stepsTo(state, stateOf({ connected, blocked, ...held }))) {
      const data = { workerId, worker: name, from: state, to: step, why }
      state = become(state, step)
      await events.publish(tx, actor, { kind: 'worker.state_changed', data })
    }
    if (state !== row.state) await tx.query(setState, [workspaceId, workerId, state])
  }
}

// No key is changed by what follows, so a run that refers to the worker need not wait.
const lockFacts: Statement = {
  name: 'workers_lock_facts',
  text: `select name, state, connected_hub is not null as connected,
           blocked is not null or (walls <> '[]' and not walls @> '[{"ok": true}]') as blocked
         from workers where workspace_id = $1 and id = $2 for no key update`,
}

// One that takes a task is no longer one that let it pass (AFSM-03).
const setState: Statement = {
  name: 'workers_set_state',
  text: `update workers set state = $3, flagged_at = case when $3 = 'working' then null else flagged_at end
         where workspace_id = $1 and id = $2`,
}
