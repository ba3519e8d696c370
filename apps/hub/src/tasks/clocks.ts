import type { Events } from '../kernel/events.ts'
import { createExpire } from './expire.ts'
import type { GiveBack } from './give-back.ts'
import type { QueueLimits } from './limits.ts'
import { createTellQuiet } from './quiet.ts'
import { createRebalance } from './rebalance.ts'

/** What happens to tasks by the passing of time alone, but for the ends of leases. Each is a duty of one hub. */
export function createClocks(deps: { giveBack: GiveBack; events: Events; limits: QueueLimits }) {
  return { expire: createExpire(deps), tellQuiet: createTellQuiet(deps), rebalance: createRebalance(deps) }
}
