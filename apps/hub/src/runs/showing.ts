import { createBatches } from '../kernel/batches.ts'
import { isDatabaseTrouble } from '../kernel/errors.ts'
import { stale, type Held } from '../tasks/hold.ts'
import type { ProgressNews } from './live.ts'
import type { RunDeps } from './run-deps.ts'

/**
 * Shows what a run says in passing to whoever watches, if it still holds its lease. A fetch tells its progress a hundred
 * times and a model speaks ten times a second, so the fence is asked for all of this moment at once, and is a look and no
 * lock.
 */
export function createShowing({ db, leases, progress }: Pick<RunDeps, 'db' | 'leases' | 'progress'>) {
  const isHeld = createBatches<Held, boolean>({
    most: 100,
    atOnce: 1,
    async work(workspaceId, said) {
      const held = await db.inWorkspace(workspaceId, (tx) => leases.hear(tx, workspaceId, said))
      return said.map((each) => ({ status: 'fulfilled', value: held.has(each) }))
    },
  })

  return async function show(held: Held, news: ProgressNews): Promise<void> {
    try {
      if (!(await isHeld(news.workspaceId, held))) throw stale(held)
    } catch (error) {
      // Not shown, as nobody can say whose it is, and not answered: it would not be worth saying again later.
      if (!isDatabaseTrouble(error)) throw error
      return
    }
    progress.tell(news)
  }
}
