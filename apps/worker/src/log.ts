import pino from 'pino'

export type Log = pino.Logger

/** Structured log on stderr. The token never reaches a log call, and these paths never print. */
export function createLog(level: string): Log {
  return pino(
    { name: 'worker', level, redact: { paths: ['*.token', '*.authorization'], censor: '[secret]' } },
    pino.destination({ fd: 2, sync: true }),
  )
}
