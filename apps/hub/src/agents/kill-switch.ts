import type { Actor } from '../kernel/actor.ts'
import type { Agents } from './agents.ts'

/**
 * What the kill switch does without the database, by the verb that asks for it: whoever is connected here is told, and
 * nothing is recorded. Answers how many were told.
 */
export function createKillSwitch(agents: Pick<Agents, 'tell' | 'tellNamed'>) {
  const stop = (actor: Actor) => ({ type: 'stop' as const, reason: `Stopped by ${actor.label}.` })
  return {
    stopQueue: (actor: Actor) => agents.tell(actor.workspaceId, null, stop(actor)),
    stopWorker: (actor: Actor, params: unknown) =>
      agents.tellNamed(actor.workspaceId, (params as { worker: string }).worker, stop(actor)),
  }
}
