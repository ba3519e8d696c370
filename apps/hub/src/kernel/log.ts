import pino from 'pino'

export type Log = pino.Logger

/** Structured log on stderr; the supervisor rotates the file. Secrets never reach a log call, and these paths never print. */
export function createLog(options: { level: string; name: string }): Log {
  return pino(
    {
      name: options.name,
      level: options.level,
      redact: {
        paths: ['*.token', '*.secret', '*.password', '*.authorization', '*.cookie'],
        censor: '[secret]',
      },
    },
    pino.destination({ fd: 2, sync: true }),
  )
}
