import { agentStates, type AgentState } from '@muster/contract/workers'

/**
 * What an agent is doing, as one word (AFSM-01).
 *
 *   offline ──▶ idle ◀──▶ assigned ──▶ working ◀──▶ blocked
 *
 * and from each of the others back to idle or offline. The word is never said by anybody: it follows from what is
 * stored (is the socket there, which leases does it hold, do its walls work), and what follows is recorded step by step.
 * A worker that comes back with a run it goes on with was idle and assigned for no time at all, and both are recorded,
 * so that whoever reads the events needs to know no transition but these.
 */
const allowed: Record<AgentState, readonly AgentState[]> = {
  offline: ['idle'],
  idle: ['assigned', 'offline'],
  assigned: ['working', 'idle', 'offline'],
  working: ['idle', 'blocked', 'offline'],
  blocked: ['working', 'idle', 'offline'],
}

export type AgentFacts = {
  connected: boolean
  /** Leases that it has not accepted yet, and those that it has. */
  assigned: number
  accepted: number
  /** It is here and can run nothing: no wall works, or its disk is full. */
  blocked: boolean
}

/** Without accepted work there is nothing that could be blocked; such an agent is idle and is offered nothing. */
export function stateOf({ connected, assigned, accepted, blocked }: AgentFacts): AgentState {
  if (!connected) return 'offline'
  if (accepted > 0) return blocked ? 'blocked' : 'working'
  return assigned > 0 ? 'assigned' : 'idle'
}

export function mayBecome(from: AgentState, to: AgentState): boolean {
  return allowed[from].includes(to)
}

/** The shortest way of allowed transitions, without its start; empty when it is there already. */
export function stepsTo(from: AgentState, to: AgentState): AgentState[] {
  let ways: AgentState[][] = [[]]
  // No way is longer than there are states.
  for (const _ of agentStates) {
    const there = ways.find((way) => (way.at(-1) ?? from) === to)
    if (there !== undefined) return there
    ways = ways.flatMap((way) => allowed[way.at(-1) ?? from].map((next) => [...way, next]))
  }
  throw new Error(`An agent that is ${from} cannot become ${to}.`)
}

/** One transition; any other than the allowed is a mistake of ours and must not be recorded. */
export function become(from: AgentState, to: AgentState): AgentState {
  if (!mayBecome(from, to)) throw new Error(`An agent that is ${from} cannot become ${to} at once.`)
  return to
}
