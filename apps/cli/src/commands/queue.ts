import type { Queue } from '@muster/contract/queue'
import type { Command } from '../context.ts'
import { formatDuration } from '../duration.ts'
import type { Output } from '../output.ts'

export const showQueue: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  return tell(output, await hub.call('getQueue', {}))
}

export const pauseQueue: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  return tell(output, await hub.call('pauseQueue', { body: {} }))
}

export const resumeQueue: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  return tell(output, await hub.call('resumeQueue', { body: {} }))
}

export const stopQueue: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const stopped = await hub.call('stopQueue', { body: {} })
  if (output.json) output.document(stopped)
  else {
    output.line(
      `Stopped ${count(stopped.requeued, 'run')}; ${count(stopped.told, 'worker')} heard it at once.`,
    )
    output.note('The tasks wait in the queue, which is paused now. Go on: npx muster queue resume')
  }
  return 0
}

function tell(output: Output, queue: Queue): number {
  if (output.json) {
    output.document(queue)
    return 0
  }
  const oldest = queue.oldestWaitMs === null ? '' : `, the oldest for ${formatDuration(queue.oldestWaitMs)}`
  const lanes = queue.byLane
    .filter(({ waiting }) => waiting > 0)
    .map(({ lane, waiting }) => `${waiting} ${lane}`)
  output.line(queue.paused ? 'paused: nothing is assigned (npx muster queue resume)' : 'open')
  output.line(`${queue.running} of at most ${queue.maxRunning} run`)
  output.line(`${queue.waiting} wait${lanes.length === 0 ? '' : `: ${lanes.join(', ')}${oldest}`}`)
  output.line(`${queue.dead} dead${queue.dead === 0 ? '' : ' (npx muster task dead list)'}`)
  return 0
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
