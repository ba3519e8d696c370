import type { Agents } from '../agents/agents.ts'
import type { Costs } from '../costs/costs.ts'
import type { Db } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Models } from '../models/models.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Leases } from '../tasks/lease.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Progress } from './live.ts'

/** What the parts of this room are made with. */
export type RunDeps = {
  db: Db
  agents: Agents
  tasks: Tasks
  leases: Leases
  events: Events
  hints: Hints
  progress: Progress
  costs: Costs
  models: Models
}
