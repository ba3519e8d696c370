import { execFile } from 'node:child_process'
import type { Log } from './log.ts'

export type NotifySettings = {
  /** NOTIFY_SOCKET; absent where systemd does not wait for a word. */
  socket: string | undefined
  /** WATCHDOG_USEC, in ms. */
  watchdogMs: number | undefined
  path: string
}

/**
 * Tells systemd how far the worker is. Node cannot write to a datagram socket of the file system and we load no native
 * code, so systemd's own program does it; the unit allows that with NotifyAccess=all. Nothing behind a wall can speak
 * for the worker: the socket is in no wall and no wall hears its name.
 */
export function createNotifier({ socket, watchdogMs, path }: NotifySettings, log: Log) {
  let isReady = false
  let watchdog: NodeJS.Timeout | undefined
  const say = (...words: string[]): Promise<void> =>
    new Promise((resolve) => {
      if (socket === undefined) return resolve()
      const env = { NOTIFY_SOCKET: socket, PATH: path }
      execFile('systemd-notify', words, { env, timeout: 10_000 }, (error) => {
        if (error !== null) log.warn({ err: error, words }, 'systemd could not be told')
        resolve()
      })
    })
  return {
    /** At each welcome; from the first on the watchdog is fed, by a timer that a stuck process does not run. */
    async ready(status: string): Promise<void> {
      await say('READY=1', `STATUS=${status}`)
      if (isReady || watchdogMs === undefined) return
      isReady = true
      watchdog = setInterval(() => void say('WATCHDOG=1'), watchdogMs / 2)
    },
    async stopping(): Promise<void> {
      clearInterval(watchdog)
      await say('STOPPING=1')
    },
  }
}
