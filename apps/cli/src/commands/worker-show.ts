import type { Worker } from '@muster/contract/workers'
import type { Command } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { neutraliseLine } from '../terminal-text.ts'

export const showWorker: Command<object, [string]> = async ({ output, ...context }, _options, name) => {
  const hub = await context.hub()
  const worker = await hub.call('getWorker', { params: { worker: name } })
  if (output.json) output.document(worker)
  else for (const [key, text] of linesOf(worker)) output.line(`${key.padEnd(11)} ${neutraliseLine(text)}`)
  return 0
}

/** The one word for what it does, and what a person should know beside it. */
export function stateOf(worker: Worker): string {
  const beside = [
    ...(worker.cordoned === null ? [] : ['cordoned']),
    ...(worker.flaggedAt === null ? [] : ['flagged']),
  ]
  return `${wordOf(worker)}${beside.length === 0 ? '' : ` (${beside.join(', ')})`}`
}

function wordOf(worker: Worker): string {
  if (worker.connected && worker.restarting) return 'restarting'
  // The recorded state of an agent without work is idle, also when it would get none.
  return worker.connected && worker.blocked !== null ? 'blocked' : worker.state
}

function linesOf(worker: Worker): [string, string][] {
  const { supervisor, blocked } = worker
  const walls = worker.walls.map(({ kind, ok, detail, fix }): [string, string] => [
    `wall`,
    `${kind}: ${ok ? '' : 'not usable: '}${detail}${fix === undefined ? '' : ` Fix: ${fix}`}`,
  ])
  return [
    ['name', worker.name],
    ['id', worker.id],
    ['state', blocked === null ? wordOf(worker) : `${wordOf(worker)} (${blocked.code}: ${blocked.reason})`],
    ...(worker.cordoned === null ? [] : [['cordoned', worker.cordoned] as [string, string]]),
    ...(worker.flaggedAt === null
      ? []
      : [['flagged', `did not accept a task in time at ${worker.flaggedAt}`] as [string, string]]),
    ['busy', `${worker.busy} of ${worker.slots} slots`],
    ['host', worker.host ?? 'not known'],
    ['version', worker.version ?? 'not known'],
    ...(supervisor === null ? [] : supervisorLines(supervisor)),
    ...(worker.resources === null ? [] : machineLines(worker.resources)),
    ...walls,
    ['last seen', worker.lastSeenAt ?? 'never'],
    ['added', worker.createdAt],
  ]
}

function supervisorLines(supervisor: NonNullable<Worker['supervisor']>): [string, string][] {
  const { kind, name, restarts, startedAt, uptimeMs, memoryBytes } = supervisor
  const lines: [string, string | undefined][] = [
    ['run by', kind === 'none' ? 'nobody who would start it again' : [kind, name].filter(Boolean).join(' ')],
    ['restarts', restarts?.toString()],
    ['started', startedAt],
    ['uptime', uptimeMs === undefined ? undefined : formatDuration(uptimeMs)],
    ['memory', memoryBytes === undefined ? undefined : `${Math.round(memoryBytes / 1e6)} MB`],
  ]
  return lines.flatMap(([key, text]): [string, string][] => (text === undefined ? [] : [[key, text]]))
}

function machineLines(machine: NonNullable<Worker['resources']>): [string, string][] {
  const { cpuPercent, cores, ramFreeBytes, ramTotalBytes, vramFreeBytes, vramTotalBytes } = machine
  const gb = (bytes: number) => (bytes / 1e9).toFixed(1)
  return [
    ['processor', `${Math.round(cpuPercent)} % of ${cores} cores busy`],
    ['ram', `${gb(ramFreeBytes)} of ${gb(ramTotalBytes)} GB free`],
    ...(vramTotalBytes === null || vramFreeBytes === null
      ? []
      : [['vram', `${gb(vramFreeBytes)} of ${gb(vramTotalBytes)} GB free`] as [string, string]]),
  ]
}
