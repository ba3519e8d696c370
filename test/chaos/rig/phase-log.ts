import { instant } from '../clock.ts'

/** What a fault can hit. `idle` is the absence of all others. */
export const phases = [
  'idle',
  'assigned',
  'running',
  'verifying',
  'completing',
  'committing',
  'event',
] as const
export type Phase = (typeof phases)[number]

export type Stay = { phase: Phase; who: string; key: string; from: number; until: number }

/**
 * Which task was in which phase on which worker, or in which commit of which hub, and when. The times are those of the
 * process that knows, so what had left its phase just before a fault is not counted as hit, however late we hear of it.
 */
export function createPhaseLog() {
  const open = new Map<string, Stay>()
  let closed: Stay[] = []
  const waiting = new Set<{ fits: (stay: Stay) => boolean; go: (stay: Stay) => void }>()

  const leave = (who: string, key: string, at: number) => {
    const stay = open.get(`${who} ${key}`)
    if (stay === undefined) return
    open.delete(`${who} ${key}`)
    closed.push({ ...stay, until: at })
    if (closed.length > 5_000) closed = closed.slice(-2_500)
  }
  return {
    enter(who: string, key: string, phase: Phase, at: number): void {
      const before = open.get(`${who} ${key}`)
      if (before?.phase === phase) return
      leave(who, key, at)
      const stay = { phase, who, key, from: at, until: Number.POSITIVE_INFINITY }
      open.set(`${who} ${key}`, stay)
      for (const each of waiting) if (each.fits(stay)) each.go(stay)
    },
    leave,
    /** Everything of a process that is gone. */
    leaveAll(who: string): void {
      for (const stay of [...open.values()]) if (stay.who === who) leave(who, stay.key, instant())
    },
    /** Calls back in the very turn in which somebody enters the phase; undefined after the time limit. */
    next(phase: Phase, limitMs: number): Promise<Stay | undefined> {
      return new Promise((resolve) => {
        const settle = (stay?: Stay) => {
          waiting.delete(waiter)
          clearTimeout(timer)
          resolve(stay)
        }
        const timer = setTimeout(settle, limitMs)
        const waiter = { fits: (stay: Stay) => stay.phase === phase, go: settle }
        waiting.add(waiter)
      })
    },
    /** Who was in the phase at that instant; ask a moment later, when the news of all processes has come. */
    during: (phase: Phase, at: number): Stay[] =>
      [...closed, ...open.values()].filter(
        (stay) => stay.from <= at && stay.until > at && (phase === 'idle' || stay.phase === phase),
      ),
  }
}
export type PhaseLog = ReturnType<typeof createPhaseLog>

const phaseOfNews: Record<string, Phase> = {
  assigned: 'assigned',
  preparing: 'running',
  running: 'running',
  verifying: 'verifying',
  publishing: 'verifying',
  completing: 'completing',
}

/** The news of a worker, written down. */
export function noteNews(
  log: PhaseLog,
  worker: string,
  news: { at: number; taskId: string; epoch: number; phase: string },
): void {
  const key = `${news.taskId}:${news.epoch}`
  const phase = phaseOfNews[news.phase]
  if (phase === undefined) log.leave(worker, key, news.at)
  else log.enter(worker, key, phase, news.at)
}
