import type { Resources, Worker } from '@muster/contract/workers'
import type { Tone } from '../../components/state-words.ts'
import type { IconName } from '../../ui/Icon.tsx'

type Standing = { word: string; tone: Tone; icon: IconName }

/** How a worker stands, as one word: what keeps it from tasks comes before what it does. */
export function standingOf(worker: Worker): Standing {
  if (!worker.connected) return { word: 'Not connected', tone: 'warn', icon: 'warning' }
  if (worker.restarting) return { word: 'Restarting', tone: 'busy', icon: 'retry' }
  if (worker.blocked !== null) return { word: 'Blocked', tone: 'bad', icon: 'cross' }
  if (worker.cordoned !== null) {
    return worker.busy > 0
      ? { word: 'Draining', tone: 'warn', icon: 'pause' }
      : { word: 'Cordoned', tone: 'warn', icon: 'pause' }
  }
  return worker.busy > 0
    ? { word: 'Working', tone: 'busy', icon: 'server' }
    : { word: 'Idle', tone: 'ok', icon: 'check' }
}

/** Who starts it again when it ends; without one it must not be told to restart. */
export function supervisorText({ supervisor }: Worker): string | null {
  if (supervisor === null) return null
  if (supervisor.kind === 'none') return 'nobody would start it again'
  return [supervisor.kind, supervisor.name].filter((part) => part !== undefined).join(' ')
}

/** How its machine does, in a few words. */
export function machineText(machine: Resources): string {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  const { cpuPercent, ramFreeBytes, ramTotalBytes, vramFreeBytes, vramTotalBytes } = machine
  const parts = [
    `processor ${Math.round(cpuPercent)} % busy`,
    `${gb(ramFreeBytes)} of ${gb(ramTotalBytes)} memory free`,
  ]
  if (vramTotalBytes !== null && vramFreeBytes !== null) {
    parts.push(`${gb(vramFreeBytes)} of ${gb(vramTotalBytes)} graphics memory free`)
  }
  return parts.join(', ')
}
