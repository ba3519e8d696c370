import { z } from 'zod'
import { Failure } from '../failure.ts'
import { checkout } from './checkout.ts'
import { type Running, startChild } from './child.ts'
import type { LogFile } from './log-file.ts'

/** What the hub says over IPC once it serves. */
const readyMessage = z.object({ type: z.literal('ready'), url: z.string() })

export type Hub = Running & { url: string }

// Migrations run before the hub serves; on a slow disk the first ones take a few seconds.
const readyLimitMs = 90_000

export type HubSettings = {
  data: string
  databaseUrl: string
  databaseDir: string | null
  databaseReserveMb: number | null
  host: string
  port: number
  messageDays: number
  maxRunning: number
  maxWaiting: number
  logLevel: string
  models: Readonly<Record<string, string>>
  inherited: Readonly<Record<string, string>>
  log: LogFile
}

/** Starts the hub and waits until it serves. */
export async function startHub(settings: HubSettings): Promise<Hub> {
  let ready: (url: string) => void = () => {}
  const served = new Promise<string>((resolve) => {
    ready = resolve
  })
  const running = await startChild({
    name: 'hub',
    script: checkout.hub,
    cwd: settings.data,
    graceMs: 15_000,
    log: settings.log,
    env: {
      ...settings.inherited,
      ...settings.models,
      MUSTER_DATA: settings.data,
      MUSTER_DATABASE_URL: settings.databaseUrl,
      ...given('MUSTER_DATABASE_DIR', settings.databaseDir),
      ...given('MUSTER_DATABASE_RESERVE', settings.databaseReserveMb),
      MUSTER_HOST: settings.host,
      MUSTER_PORT: String(settings.port),
      MUSTER_WEB_DIST: checkout.webDist,
      MUSTER_MESSAGE_DAYS: String(settings.messageDays),
      MUSTER_MAX_RUNNING: String(settings.maxRunning),
      MUSTER_MAX_WAITING: String(settings.maxWaiting),
      MUSTER_LOG_LEVEL: settings.logLevel,
      MUSTER_LOCAL: '1',
    },
    onMessage: (message) => {
      const parsed = readyMessage.safeParse(message)
      if (parsed.success) ready(parsed.data.url)
    },
  })
  const timer = new AbortController()
  const url = await Promise.race([
    served,
    running.ended.then((how) => {
      throw new Failure(
        'start_failed',
        `The hub ended before it served (${how}).`,
        `Its log: ${settings.log.path}`,
        1,
      )
    }),
    timeLimit(timer.signal, settings.log.path),
  ]).catch(async (error: unknown) => {
    await running.stop()
    throw error
  })
  timer.abort()
  return { ...running, url }
}

function given(key: string, value: string | number | null): Record<string, string> {
  return value === null ? {} : { [key]: String(value) }
}

async function timeLimit(done: AbortSignal, logPath: string): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          new Failure(
            'start_failed',
            `The hub did not serve within ${readyLimitMs / 1_000} s.`,
            `Its log: ${logPath}`,
            1,
          ),
        ),
      readyLimitMs,
    )
    done.addEventListener('abort', () => clearTimeout(timer))
  })
}
