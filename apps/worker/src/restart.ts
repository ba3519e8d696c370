import type { WorkerMessage } from '@muster/contract/wire'
import type { Supervisor } from '@muster/contract/workers'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'

/** As the CLI's "try again". Not 0: a supervisor that restarts only what failed must start it too. */
export const restartExit = 75

type Announcement = Extract<WorkerMessage, { type: 'restarting' }>

/**
 * The worker restarts itself (SIDE-07): it says so, takes nothing new, lets what runs end within the grace, gives the
 * rest back, and ends with a code after which its supervisor starts it again. Where nobody would, it refuses.
 */
export function createRestart(deps: {
  supervisor: Supervisor['kind']
  graceMs: number
  link: () => HubLink
  /** Takes nothing new and resolves when nothing is held any more; `hurry` cuts the rest of the grace off. */
  drain: (graceMs: number, hurry: AbortSignal) => Promise<void>
  log: Log
  end: (code: number) => void
}) {
  const { log } = deps
  const hurry = new AbortController()
  let announced: Omit<Announcement, 'id'> | undefined

  const announce = () => {
    // The hub may be away: then it learns it from the next hello, and takes the leases back by itself.
    if (announced !== undefined)
      void deps
        .link()
        .request(announced)
        .catch(() => {})
  }

  return {
    /** Said again on each new connection, because the hub knows it by connection. */
    announce,
    request(cause: Announcement['cause'], reason: string, { force = false } = {}): void {
      if (deps.supervisor === 'none') {
        log.error(
          { code: 'worker_not_supervised', cause },
          'a restart was refused: nobody would start this worker again',
        )
        return
      }
      const isFirst = announced === undefined
      const graceMs = force ? 0 : deps.graceMs
      announced = { type: 'restarting', cause, reason, graceMs }
      log.warn({ cause, reason, graceMs }, 'the worker restarts itself')
      announce()
      if (force) hurry.abort()
      if (!isFirst) return
      void deps.drain(graceMs, hurry.signal).then(() => deps.end(restartExit))
    },
  }
}
