import { logOptions } from '@muster/contract/log'
import pino from 'pino'

export type Log = pino.Logger

/** Structured log on stderr; the supervisor rotates the file. */
export function createLog(options: { level: string; name: string }): Log {
  return pino(logOptions(options), pino.destination({ fd: 2, sync: true }))
}
