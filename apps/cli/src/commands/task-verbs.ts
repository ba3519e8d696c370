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

export const pushTask: Command<{ worker: string }, [string]> = async (
  { output, ...context },
  { worker },
  ref,
) => {
  const hub = await context.hub()
  const task = await hub.call('pushTask', { params: { task: ref }, body: { worker } })
  if (output.json) output.document(task)
  else
    output.note(`Task ${task.short} goes to ${worker} next. Follow it: npx muster task watch ${task.short}`)
  return 0
}

export const deleteTask: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const answer = await hub.call('deleteTask', { params: { task: ref } })
  if (output.json) output.document(answer)
  else output.note(`Task ${ref.slice(-8)} is gone, with its runs and their output. Its events stay.`)
  return 0
}
