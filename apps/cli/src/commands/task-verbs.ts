import type { Command } from '../context.ts'

export const cancelTask: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const task = await hub.call('cancelTask', { params: { task: ref }, body: {} })
  if (output.json) output.document(task)
  else output.note(`Task ${task.short} is ${task.state}.`)
  return 0
}

export const retryTask: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const task = await hub.call('retryTask', { params: { task: ref }, body: {} })
  if (output.json) output.document(task)
  else
    output.note(`Task ${task.short} is ${task.state} again. Follow it: npx muster task watch ${task.short}`)
  return 0
}
