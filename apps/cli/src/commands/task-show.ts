import type { Command } from '../context.ts'
import { taskText } from './task-text.ts'

export const showTask: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const task = await hub.call('getTask', { params: { task: ref } })
  if (output.json) output.document(task)
  else output.data(await taskText(output, hub, task))
  return 0
}
