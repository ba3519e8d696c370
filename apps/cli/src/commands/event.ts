import type { Command } from '../context.ts'

type EventOptions = { after?: string; task?: string; limit?: number }

export const listEvents: Command<EventOptions> = async ({ output, ...context }, options) => {
  const hub = await context.hub()
  const taskId =
    options.task === undefined
      ? undefined
      : (await hub.call('getTask', { params: { task: options.task } })).id
  const found = await hub.call('listEvents', {
    query: { after: options.after, limit: options.limit, taskId },
  })
  if (output.json) {
    output.document(found)
    return 0
  }
  output.table(
    [
      { name: 'at', drop: 2 },
      { name: 'kind' },
      { name: 'task' },
      { name: 'actor', drop: 1 },
      { name: 'data', cut: true, drop: 3 },
    ],
    found.items.map((event) => [
      event.at.slice(0, 19).replace('T', ' '),
      event.kind,
      event.taskId?.slice(-8) ?? '',
      event.actor,
      JSON.stringify(event.data),
    ]),
  )
  if (found.nextCursor !== null) output.note(`Read on with: --after ${found.nextCursor}`)
  return 0
}
