import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import { capability } from '@muster/contract/text'
import { ollamaAddress } from '@muster/llm/discover/ollama-address'
import { z } from 'zod'
import type { NotifySettings } from './systemd-notify.ts'
import { splitCommand } from './wake-command.ts'

const absolutePaths = z
  .string()
  .default('')
  .transform((list) => list.split(':').filter((path) => path !== ''))
  .refine((paths) => paths.every(isAbsolute), 'must be absolute paths joined by colons')

const capabilities = z
  .string()
  .default('')
  .transform((list) => list.split(',').filter((name) => name.trim() !== ''))
  .pipe(z.array(capability).max(64))

const wakeCommand = z
  .string()
  .default('')
  .transform((line, context) => {
    if (line.trim() === '') return []
    try {
      return splitCommand(line)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })

const environment = z.object({
  MUSTER_HUB: z.url({ protocol: /^https?$/ }).describe('Address of the hub'),
  MUSTER_TOKEN: z.string().min(16).describe('Token of this worker'),
  MUSTER_WORKER_DATA: z.string().min(1).describe('Directory for mirrors, workspaces and the journal'),
  MUSTER_SLOTS: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe('Tasks at once; default: the cores'),
  MUSTER_CAPABILITIES: capabilities.describe('What this worker can do, separated by commas'),
  MUSTER_WALL_TOOLS: absolutePaths.describe('Extra tool directories that walls see read-only'),
  MUSTER_WAKE: wakeCommand.describe('Command that wakes what runs need on this machine'),
  MUSTER_RESTART_GRACE: z.coerce
    .number()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('Seconds that runs have to end before a restart'),
  MUSTER_WORKER_MEMORY: z.coerce
    .number()
    .int()
    .min(0)
    .default(200)
    .describe('MB above which the worker restarts itself; 0: no ceiling'),
  MUSTER_OLLAMA_URL: z.string().optional().describe('Ollama of this machine, which the hub is told of'),
  OLLAMA_HOST: z.string().optional().describe('Read where MUSTER_OLLAMA_URL is not set'),
  MUSTER_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least level logged'),
  MUSTER_LIFELINE: z.enum(['0', '1']).default('0').describe('1: stop when the parent process goes away'),
})

export type Config = Readonly<{
  hub: string
  token: string
  dataDir: string
  slots: number
  capabilities: string[]
  wallTools: string[]
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  lifeline: boolean
  /** Empty: there is none. */
  wake: readonly string[]
  wakeEnv: Readonly<Record<string, string>>
  restartGraceMs: number
  memoryCeilingBytes: number
  ollamaUrl: string
  notify: NotifySettings
}>

/** What a command of the operator finds: how to find things, and none of our tokens or of other services' secrets. */
const passedOn = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+|SSH_AUTH_SOCK)$/

/** The environment as a complete configuration; throws a sentence that names the key. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const file = env['MUSTER_TOKEN_FILE']
  const token = env['MUSTER_TOKEN'] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim())
  const parsed = environment.safeParse({ ...env, MUSTER_TOKEN: token })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`${String(issue?.path[0] ?? 'configuration')}: ${issue?.message ?? 'is not valid'}`)
  }
  const value = parsed.data
  const hub = new URL(value.MUSTER_HUB)
  if (hub.protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hub.hostname)) {
    throw new Error(
      `MUSTER_HUB: ${hub.origin} would send the token in the clear; use https, or a tunnel to loopback`,
    )
  }
  return Object.freeze({
    hub: hub.origin,
    token: value.MUSTER_TOKEN,
    dataDir: value.MUSTER_WORKER_DATA,
    slots: value.MUSTER_SLOTS ?? availableParallelism(),
    capabilities: value.MUSTER_CAPABILITIES,
    wallTools: value.MUSTER_WALL_TOOLS,
    logLevel: value.MUSTER_LOG_LEVEL,
    lifeline: value.MUSTER_LIFELINE === '1',
    wake: value.MUSTER_WAKE,
    wakeEnv: Object.fromEntries(
      Object.entries(env).flatMap(([name, text]) =>
        text !== undefined && passedOn.test(name) ? [[name, text]] : [],
      ),
    ),
    restartGraceMs: value.MUSTER_RESTART_GRACE * 1_000,
    memoryCeilingBytes: value.MUSTER_WORKER_MEMORY === 0 ? Infinity : value.MUSTER_WORKER_MEMORY * 1e6,
    ollamaUrl: ollamaAddress(value.MUSTER_OLLAMA_URL || value.OLLAMA_HOST || undefined),
    notify: {
      socket: env['NOTIFY_SOCKET'],
      watchdogMs: watchdogMs(env),
      path: env['PATH'] ?? '/usr/bin:/bin',
    },
  })
}

/** The watchdog is meant for one process; a child that inherits the variables must not feed it. */
function watchdogMs(env: NodeJS.ProcessEnv): number | undefined {
  const [micro, pid] = [Number(env['WATCHDOG_USEC']), env['WATCHDOG_PID']]
  if (!Number.isFinite(micro) || micro <= 0) return undefined
  return pid === undefined || pid === String(process.pid) ? micro / 1_000 : undefined
}
