import type { Worker } from '@muster/contract/workers'
import type { Command } from '../context.ts'
import { stateOf } from './worker-show.ts'

export const listWorkers: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const found = await hub.call('listWorkers', {})
  if (output.json) output.document(found)
  else if (found.items.length === 0)
    output.note('No workers. Make a token for one: npx muster token create NAME --worker')
  else {
    output.table(
      [
        { name: 'name', cut: true },
        { name: 'state' },
        { name: 'busy', drop: 1 },
        { name: 'walls', drop: 2 },
        { name: 'capabilities', drop: 4 },
        { name: 'client', drop: 5 },
        { name: 'host', drop: 3 },
        { name: 'says', drop: 6 },
      ],
      found.items.map((worker) => [
        worker.name,
        stateOf(worker),
        `${worker.busy}/${worker.slots}`,
        wallsText(worker),
        worker.capabilities.join(', '),
        worker.client ?? '',
        worker.host ?? '',
        worker.status,
      ]),
    )
  }
  return 0
}

export function wallsText(worker: Worker): string {
  if (worker.walls.length === 0) return 'none'
  return worker.walls.map((wall) => (wall.ok ? wall.kind : `${wall.kind} (not usable)`)).join(', ')
}
