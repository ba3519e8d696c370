import type { Command } from '../context.ts'
import { finish } from './follow-task.ts'

export const watchTask: Command<object, [string]> = async (context, _options, ref) => {
  const hub = await context.hub()
  const task = await hub.call('getTask', { params: { task: ref } })
  return finish(context, hub, task, { showOutput: true })
}
