import type { Agents } from '../agents/agents.ts'
import type { Db } from '../kernel/db.ts'
import { createDelivery } from './delivery.ts'
import { createHandler } from './handler.ts'

/** Agents speak with each other: who is there, and what they tell one another. Nothing that is said here is a right. */
export function createMail(deps: { db: Db; agents: Agents }) {
  const delivery = createDelivery(deps)
  return { handler: createHandler({ ...deps, delivery }), deliver: delivery.round }
}
