import type { Task, TaskCreate } from '@muster/contract/tasks'
import type { Agents } from '../agents/agents.ts'
import type { Actor } from '../kernel/actor.ts'
import { createBatches, refusedOr, type Outcome } from '../kernel/batches.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { onceEach, type Keyed } from '../kernel/idempotency.ts'
import type { Repos } from '../repos/repos.ts'
import type { Look } from './look.ts'
import type { Queue } from './queue.ts'
import { submitAll, type Submission } from './submit.ts'

/** What a request for a new task is: with its key, if it has one. */
type Handed = Submission & { keyed: Keyed | undefined }

/** Taking tasks in: alone within a transaction of the caller's, or together with whoever else hands one in now. */
export function createTakeIn(deps: {
  db: Db
  agents: Agents
  repos: Repos
  events: Events
  hints: Hints
  look: Look
  queue: Queue
}) {
  const { db, queue } = deps

  const takeIn = async (tx: Tx, workspaceId: string, submissions: Submission[]): Promise<Outcome<Task>[]> => {
    const admitted = await refusedOr(() => queue.mustAdmit(tx, workspaceId))
    if (admitted.status === 'rejected') return submissions.map(() => admitted)
    return submitAll(deps, tx, workspaceId, submissions)
  }

  // 102,618 against 5,255 inserts a second at 50 clients, and 30 times as many on a slow disk (measured before it was
  // built; the bench of the queue measures it as it is now).
  const together = createBatches<Handed, Task>({
    most: 200,
    // One: while it is on its way to the disk the next one fills.
    atOnce: 1,
    work: (workspaceId, handed) =>
      db.inWorkspace(workspaceId, (tx) =>
        onceEach(
          tx,
          workspaceId,
          handed.map(({ keyed }) => keyed),
          (positions) =>
            takeIn(
              tx,
              workspaceId,
              positions.map((at) => handed[at] as Handed),
            ),
        ),
      ),
  })

  return {
    async submit(tx: Tx, actor: Actor, input: TaskCreate): Promise<Task> {
      const [outcome] = await takeIn(tx, actor.workspaceId, [{ actor, input }])
      if (outcome?.status === 'fulfilled') return outcome.value
      throw outcome?.reason
    },

    /**
     * The same in a transaction that is shared with all who hand in a task at this moment. Answers when it is committed;
     * each is answered for itself, by its own key and with its own refusal.
     */
    handIn: (actor: Actor, input: TaskCreate, keyed: Keyed | undefined): Promise<Task> =>
      together(actor.workspaceId, { actor, input, keyed }),
  }
}
