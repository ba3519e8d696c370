import type { Tx } from '../kernel/db.ts'
import type { Held } from './hold.ts'
import * as fence from './sql/fence.ts'

/** Hearing of a run without holding its lease. */
export function createHearing({ leaseMs }: { leaseMs: number }) {
  return {
    /**
     * The runs of these leases said something that is only shown. Answers those that are held; for them it is progress,
     * written at most once in a third of a lease.
     */
    async hear(tx: Tx, workspaceId: string, said: Held[]): Promise<Set<Held>> {
      const rows = await tx.query<{ place: number }>(fence.hear, [
        workspaceId,
        said.map((each) => each.taskId),
        said.map((each) => each.epoch),
        said.map((each) => each.workerId),
        leaseMs / 3,
      ])
      const held = new Set(rows.map((row) => row.place))
      return new Set(said.filter((_, at) => held.has(at + 1)))
    },
  }
}
