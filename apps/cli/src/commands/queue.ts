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
  else if (stopped.requeued === 0) {
    output.line('Nothing ran.')
    output.note('The queue is paused. Go on: npx muster queue resume')
  } else {
    output.line(
      `Stopped ${count(stopped.requeued, 'run')}; ${count(stopped.told, 'worker')} heard it at once.`,
    )
    output.note('Their tasks are queued again, and the queue is paused. Go on: npx muster queue resume')
  }
  return 0
}

function tell(output: Output, queue: Queue): number {
  if (output.json) {
    output.document(queue)
    return 0
  }
  const oldest = queue.oldestWaitMs === null ? '' : `; the oldest for ${formatDuration(queue.oldestWaitMs)}`
  const lanes = queue.byLane
    .filter(({ waiting }) => waiting > 0)
    .map(({ lane, waiting }) => `${waiting} ${lane}`)
  output.line(`queue    ${queueState(queue)}`)
  output.line(`running  ${queue.running} of at most ${queue.maxRunning}`)
  output.line(`queued   ${queue.waiting}${lanes.length === 0 ? '' : ` (${lanes.join(', ')}${oldest})`}`)
  output.line(`dead     ${queue.dead}${queue.dead === 0 ? '' : ' (npx muster task dead list)'}`)
  return 0
}

export function queueState({ paused }: Pick<Queue, 'paused'>): string {
  return paused ? 'paused: nothing is assigned. Go on: npx muster queue resume' : 'open'
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
