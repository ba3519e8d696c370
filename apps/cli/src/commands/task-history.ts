import type { Event } from '@muster/contract/events'
import type { Command } from '../context.ts'
import { formatDuration } from '../duration.ts'

export const taskHistory: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const found = await hub.call('taskHistory', { params: { task: ref } })
  if (output.json) {
    output.document(found)
    return 0
  }
  const first = found.items[0]
  output.table(
    [{ name: 'after' }, { name: 'what' }, { name: 'who', drop: 1 }, { name: 'more', cut: true }],
    found.items.map((event) => [
      formatDuration(Date.parse(event.at) - Date.parse(first?.at ?? event.at)),
      event.kind,
      event.actor,
      moreOf(event),
    ]),
  )
  return 0
}

/** What of an event a person reads first. */
function moreOf({ data }: Event): string {
  const said = ['reason', 'why', 'phase', 'state', 'worker']
    .map((key) => data[key])
    .filter((value) => value != null)
  return said.map(String).join(' · ')
}
