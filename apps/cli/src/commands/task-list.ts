import type { Command } from '../context.ts'

type TaskListOptions = { state?: string; repo?: string; limit?: number; cursor?: string }

export const listTasks: Command<TaskListOptions> = async ({ output, ...context }, options) => {
  const hub = await context.hub()
  const { state, repo, limit, cursor } = options
  const found = await hub.call('listTasks', { query: { state, repo, limit, cursor } })
  if (output.json) {
    output.document(found)
    return 0
  }
  if (found.items.length === 0) {
    output.note('No tasks. Hand one in: npx muster task add --help')
    return 0
  }
  output.table(
    [
      { name: 'task' },
      { name: 'state' },
      { name: 'ending', drop: 1 },
      { name: 'title', cut: true },
      { name: 'repo', drop: 2 },
      { name: 'branch', drop: 4 },
      { name: 'created', drop: 3 },
    ],
    found.items.map((task) => [
      task.short,
      task.state,
      task.ending ?? '',
      task.title,
      task.repo,
      task.branch ?? '',
      task.createdAt.slice(0, 16).replace('T', ' '),
    ]),
  )
  if (found.nextCursor !== null) output.note(`There are more: --cursor ${found.nextCursor}`)
  return 0
}
