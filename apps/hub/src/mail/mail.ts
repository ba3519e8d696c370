import type { Agents } from '../agents/agents.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { createChannels } from './channels.ts'
import { createDelivery } from './delivery.ts'
import { evict } from './evict.ts'
import { createHandler } from './handler.ts'
import { createPost } from './post.ts'

export type Mail = ReturnType<typeof createMail>

/**
 * Agents and people speak with each other: who is there, and what they tell one another. A message is data for whoever
 * reads it; nothing that is said here gives a right, and no room below asks what was said.
 */
export function createMail(deps: { db: Db; agents: Agents; events: Events; hints: Hints; keepDays: number }) {
  const delivery = createDelivery(deps)
  const post = createPost(deps)
  const channels = createChannels(deps)
  return {
    handler: createHandler({ ...deps, delivery, channels, post }),
    post,
    channels,
    /** One round: what is new in the database goes to the agents connected here. */
    deliver: delivery.round,
    /** Once an hour, by one of the hubs. */
    evict: (tx: Tx) => evict(tx, deps.keepDays),
  }
}
