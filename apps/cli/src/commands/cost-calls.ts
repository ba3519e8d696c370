import { hubStates, type CallCounts, type HubState } from '@muster/contract/costs'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import type { Output } from '../output.ts'

export const showCalls: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  show(output, await hub.call('getCalls', {}))
  return 0
}

export const setCallLimit: Command<object, [string, string, string]> = async (
  { output, ...context },
  _options,
  word,
  hour,
  day,
) => {
  const state = hubStates.find((each): each is HubState => each === word)
  if (state === undefined) {
    throw new Failure('usage', `"${word}" is no state of the hub.`, `States are ${hubStates.join(', ')}.`, 2)
  }
  const hub = await context.hub()
  const body = { state, perHour: count(hour), perDay: count(day) }
  show(output, await hub.call('setCallLimit', { body }))
  return 0
}

function show(output: Output, found: CallCounts): void {
  if (output.json) return output.document(found)
  output.table(
    [{ name: 'hub is' }, { name: 'last hour' }, { name: 'last day' }],
    found.items.map((row) => [row.state, `${row.hour} of ${row.perHour}`, `${row.day} of ${row.perDay}`]),
  )
  output.note(`The hub itself: ${found.hub.hour} calls in the last hour, ${found.hub.day} in the last day.`)
  output.note(`Tasks: ${found.tasks.hour} calls in the last hour, ${found.tasks.day} in the last day.`)
}

function count(word: string): number {
  if (/^\d{1,6}$/.test(word)) return Number(word)
  throw new Failure('usage', `"${word}" is no number of calls.`, 'Say a whole number; 0 forbids them.', 2)
}
