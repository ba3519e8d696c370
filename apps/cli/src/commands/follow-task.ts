import type { Task } from '@muster/contract/tasks'
import type { Context } from '../context.ts'
import type { Hub } from '../connection.ts'
import { exits } from '../exit-code.ts'
import { watchUntilEnd, type WatchOptions } from './watch-loop.ts'
import { taskText } from './task-text.ts'

/**
 * Waits for the end of a task and prints it: the shared second half of `task add --wait` and `task watch`.
 * Exit code 0 says that the task is done, and nothing less.
 */
export async function finish(
  context: Context,
  hub: Hub,
  task: Task,
  options: Pick<WatchOptions, 'showOutput'>,
): Promise<number> {
  const { output } = context
  const stop = new AbortController()
  const interrupted = () => stop.abort()
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', interrupted)
  const ended = await watchUntilEnd(hub, task, { ...options, output, signal: stop.signal })
  process.off('SIGINT', interrupted)
  process.off('SIGTERM', interrupted)
  output.status('')
  if (ended === 'interrupted') {
    output.note(
      `Stopped waiting; task ${task.short} goes on. Cancel it: npx muster task cancel ${task.short}\n` +
        `Follow it again: npx muster task watch ${task.short}`,
    )
    return exits.interrupted
  }
  if (output.json) output.document(ended)
  else output.data(`${options.showOutput ? '\n' : ''}${await taskText(output, hub, ended)}`)
  return ended.state === 'done' ? exits.ok : exits.failed
}
