import type { TaskState } from '@muster/contract/task-states'
import { ifPresent } from '@muster/postgres/missing-file'
import { isAlive } from '@muster/postgres/process-identity'
import type { Hub } from '../connection.ts'
import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'
import { neutraliseLine } from '../terminal-text.ts'
import { readUpFile, supervisorOf, type UpFile } from '../up/up-file.ts'
import { queueState } from './queue.ts'
import { whatIsRefused } from './refused.ts'
import { wallsText } from './worker-list.ts'

const openStates: TaskState[] = ['queued', 'waiting', 'assigned', 'running', 'verifying']

export const status: Command<object> = async ({ config, output, ...context }) => {
  const local = config.hub === null ? await runningHere(config.data) : undefined
  if (config.hub === null && local === undefined) {
    if (output.json) output.document({ running: false, data: config.data })
    else output.note(`Muster does not run here (data directory ${config.data}). Start it with "npm start".`)
    return exits.unavailable
  }
  const hub = await context.hub()
  const healthy = await health(hub.origin)
  const [refused, workers, counted, whole] = await Promise.all([
    whatIsRefused(hub.origin),
    hub.call('listWorkers', {}),
    queueCounts(hub),
    hub.call('getQueue', {}),
  ])
  const queue = { ...counted, paused: whole.paused, dead: whole.dead }
  if (output.json) {
    output.document({
      running: true,
      url: hub.origin,
      healthy,
      data: config.data,
      processes: local ?? null,
      workers: workers.items,
      queue,
      refused: refused ?? null,
    })
    return healthy ? exits.ok : exits.failed
  }
  output.line(
    `hub      ${hub.origin} ${healthy ? output.paint('green', 'healthy') : output.paint('red', 'not healthy')}`,
  )
  if (local !== undefined) {
    output.line(
      `pids     up ${local.pid}, hub ${local.hubPid ?? '–'}, worker ${local.workerPid ?? '–'}, database ${local.databasePid ?? '–'}`,
    )
    output.line(`data     ${config.data}`)
  }
  for (const worker of workers.items) {
    const state = worker.connected
      ? `${worker.busy} of ${worker.slots} slots busy, wall: ${wallsText(worker)}${worker.cordoned === null ? '' : ', cordoned'}`
      : 'away'
    output.line(`worker   ${worker.name}: ${state}`)
  }
  const busy = openStates.filter((state) => (queue.counts[state] ?? 0) > 0)
  const tasks = busy.map((state) => `${queue.counts[state]} ${state}`).join(', ')
  output.line(`tasks    ${tasks === '' ? 'none waiting or running' : tasks}${queue.more ? ' and more' : ''}`)
  if (queue.dead > 0) output.line(`dead     ${queue.dead} (npx muster task dead list)`)
  if (queue.paused) output.line(`queue    ${queueState(queue)}`)
  if (refused !== undefined) output.line(`refused  ${neutraliseLine(refused)}`)
  return healthy ? exits.ok : exits.failed
}

async function runningHere(data: string): Promise<UpFile | undefined> {
  const file = await ifPresent(readUpFile(data))
  return file !== undefined && (await isAlive(supervisorOf(file))) ? file : undefined
}

async function health(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/health`, { signal: AbortSignal.timeout(5_000) })).ok
  } catch {
    return false
  }
}

async function queueCounts(hub: Hub): Promise<{ counts: Partial<Record<TaskState, number>>; more: boolean }> {
  const found = await hub.call('listTasks', { query: { state: openStates.join(','), limit: 200 } })
  const counts: Partial<Record<TaskState, number>> = {}
  for (const task of found.items) counts[task.state] = (counts[task.state] ?? 0) + 1
  return { counts, more: found.nextCursor !== null }
}
