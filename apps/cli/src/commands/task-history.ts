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

/** What of an event a person reads first; a reason names the worker itself. */
function moreOf({ data }: Event): string {
  const said = ['reason', 'why', 'phase', 'state', 'to', 'worker'].flatMap((key) => {
    const value = data[key]
    const isSaid = value == null || (key === 'worker' && typeof data['reason'] === 'string')
    return isSaid ? [] : [String(value)]
  })
  const { delayMs } = data
  if (typeof delayMs === 'number') said.push(`next try in ${formatDuration(delayMs)}`)
  return said.join(' · ')
}
