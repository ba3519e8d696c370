import type { Story } from './story.ts'

/** How long it took after a fault until the runs that it had struck were known to be lost, and run again. */
export type Loss = { noticedMs: number; againMs: number | null }

/** Of the tasks that the struck worker held: the slowest. Null when it came back in time and lost none. */
export function lossOf(
  { events }: Story,
  held: readonly { taskId: string; epoch: number }[],
  at: number,
): Loss | null {
  const losses = held.flatMap(({ taskId, epoch }): Loss[] => {
    const later = events.filter((event) => event.taskId === taskId && event.writtenAt > at)
    const lost = later.find((event) => event.kind === 'task.requeued' && event.data['epoch'] === epoch)
    if (lost === undefined) return []
    const again = later.find((event) => event.kind === 'task.assigned' && Number(event.data['epoch']) > epoch)
    return [{ noticedMs: lost.writtenAt - at, againMs: again === undefined ? null : again.writtenAt - at }]
  })
  if (losses.length === 0) return null
  const again = losses.flatMap((loss) => loss.againMs ?? [])
  return {
    noticedMs: Math.round(Math.max(...losses.map((loss) => loss.noticedMs))),
    againMs: again.length === 0 ? null : Math.round(Math.max(...again)),
  }
}

/** What happened to the task that took longest, for a person to see why. Null when none took long. */
export function slowestOf(
  { events, tasks }: Story,
  { healed, limitMs, except }: { healed: number; limitMs: number; except: string },
): string | null {
  const apart = new Set(tasks.flatMap((task) => (task.title.startsWith(except) ? [task.id] : [])))
  const counted = events.filter((event) => !apart.has(event.taskId))
  const last = counted.toSorted((a, b) => b.writtenAt - a.writtenAt)[0]
  if (last === undefined || last.writtenAt - healed < limitMs) return null
  const title = tasks.find((task) => task.id === last.taskId)?.title
  const steps = events
    .filter((event) => event.taskId === last.taskId)
    .map(({ kind, data, writtenAt }) => {
      const detail = [data['epoch'], data['worker'], data['phase'], data['reason']].filter(Boolean).join(' ')
      return `${kind} ${detail} at ${Math.round(writtenAt - healed)}`
    })
  return `${title}: ${steps.join('; ')}`
}
