import { readFileSync } from 'node:fs'
import { availableParallelism, homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { capability } from '@muster/contract/text'
import { Failure } from './failure.ts'
import type { LogSizes } from './up/log-file.ts'
import { workerPolicy, type RestartPolicy } from './up/restart-policy.ts'

// An octet above 255 does not matter here: such a host does not resolve.
const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i

export function isLoopback(host: string): boolean {
  return loopback.test(host)
}

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be between ${least} and ${most}`)

const directory = z.string().min(1, 'must not be empty')

/** Every setting of `muster`. The descriptions are the documentation. */
export const settings = z.object({
  MUSTER_DATA: directory
    .optional()
    .describe('Data directory. Default: $XDG_DATA_HOME/muster or ~/.local/share/muster.'),
  MUSTER_HOST: z
    .string()
    .refine(
      isLoopback,
      'must be a loopback address such as 127.0.0.1 or ::1: this version serves its own machine only, because it speaks ' +
        'plain HTTP. To reach it from elsewhere use "ssh -L 4600:127.0.0.1:4600 HOST"',
    )
    .transform((host) => host.replace(/^\[|\]$/g, ''))
    .default('127.0.0.1')
    .describe('Address to listen on; loopback only in this version. Default: 127.0.0.1.'),
  MUSTER_PORT: wholeNumber(0, 65_535).default(4600).describe('Port to listen on. Default: 4600.'),
  MUSTER_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .optional()
    .describe('A PostgreSQL of your own, from version 15. Default: the one that comes with Muster.'),
  MUSTER_DATABASE_DIR: directory
    .optional()
    .describe(
      'Directory on the disk of that PostgreSQL, if it is on this machine: its free space is watched. Default: that of the ' +
        'one that comes with Muster.',
    ),
  MUSTER_DATABASE_RESERVE: wholeNumber(0, 1_000_000_000)
    .optional()
    .describe(
      'MB that must be free on the disk of the database; below it new tasks are refused (`database_full`). ' +
        'Default: 512, or 5 % of the disk if that is less.',
    ),
  MUSTER_OLLAMA_URL: z
    .string()
    .optional()
    .describe('Ollama that is used for tasks. Default: OLLAMA_HOST or port 11434.'),
  OLLAMA_HOST: z.string().optional().describe('Read where MUSTER_OLLAMA_URL is not set.'),
  OPENAI_API_KEY: z
    .string()
    .optional()
    .describe('Makes OpenAI, or what OPENAI_BASE_URL names, an endpoint. Used once a workspace allows it.'),
  OPENAI_BASE_URL: z
    .string()
    .optional()
    .describe('Server with the wire of OpenAI. Default: https://api.openai.com/v1.'),
  ANTHROPIC_API_KEY: z
    .string()
    .optional()
    .describe('Makes Anthropic an endpoint. Used once a workspace allows it.'),
  ANTHROPIC_BASE_URL: z
    .string()
    .optional()
    .describe('Server with the wire of Anthropic. Default: https://api.anthropic.com.'),
  MUSTER_MODEL: z
    .string()
    .optional()
    .describe('Model that is preferred where several would do, such as qwen3:8b. Default: none.'),
  MUSTER_MODEL_WAIT: wholeNumber(0, 3_600)
    .default(5)
    .describe('Seconds that a task waits for a model of its tier before the next tier is tried. Default: 5.'),
  MUSTER_HUB: z
    .string()
    .optional()
    .describe('Address of the hub to talk to. Default: the one on this machine.'),
  MUSTER_TOKEN: z.string().optional().describe('Token for that hub. Default: the local owner token.'),
  MUSTER_SLOTS: wholeNumber(1, 256)
    .optional()
    .describe('Tasks that the local worker runs at once. Default: one per core, at most 8.'),
  MUSTER_CAPABILITIES: z
    .string()
    .default('')
    .transform((list) => list.split(',').filter((name) => name.trim() !== ''))
    .pipe(z.array(capability).max(64))
    .describe('What the local worker can do beyond running commands, separated by commas: gpu,docs.'),
  MUSTER_MESSAGE_DAYS: wholeNumber(1, 365)
    .default(7)
    .describe('Days that an unread message waits for an agent. Default: 7.'),
  MUSTER_MAX_RUNNING: wholeNumber(1, 10_000)
    .default(20)
    .describe('Tasks of one workspace that run at once, at most. Default: 20.'),
  MUSTER_MAX_WAITING: wholeNumber(1, 10_000_000)
    .default(100_000)
    .describe('Queued tasks of one workspace; beyond it a new one is refused. Default: 100000.'),
  MUSTER_WAKE: z
    .string()
    .default('')
    .describe(
      'Command that a worker runs on its machine before each run, to wake what runs need there. Split into words without ' +
        'a shell; ${TASK_ID}, ${TASK_JSON} and ${TASK_DESCRIPTION} are put into its words. Default: none.',
    ),
  MUSTER_RESTART_GRACE: wholeNumber(0, 86_400)
    .default(60)
    .describe('Seconds that runs have to end when their worker restarts itself. Default: 60.'),
  MUSTER_WORKER_MEMORY: wholeNumber(0, 1_000_000)
    .default(200)
    .describe('MB of memory above which a worker restarts itself; 0: no ceiling. Default: 200.'),
  MUSTER_WORKER_RESTARTS: wholeNumber(0, 1_000_000)
    .default(50)
    .describe('How often a worker that does not come up is started again. Default: 50.'),
  MUSTER_WORKER_MIN_UPTIME: wholeNumber(1, 86_400)
    .default(5)
    .describe('Seconds of life that are a good start of a worker: the count begins anew. Default: 5.'),
  MUSTER_WORKER_RESTART_DELAY: wholeNumber(0, 3_600)
    .default(2)
    .describe('Seconds before a worker that ended is started again. Default: 2.'),
  MUSTER_LOG_FILE_MB: wholeNumber(1, 10_000)
    .default(10)
    .describe('MB at which a log file is put aside and a new one begins. Default: 10.'),
  MUSTER_LOG_FILES: wholeNumber(2, 1_000)
    .default(30)
    .describe('How many files of each log are kept, the present one included. Default: 30.'),
  MUSTER_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('How much the logs in DATA/logs say. Default: info.'),
  MUSTER_WALL_TOOLS: z
    .string()
    .default('')
    .describe('More directories, separated by colons, whose programs are readable and on PATH inside walls.'),
  MUSTER_LIFELINE: z.string().optional().describe('Set by a parent process: stop when it dies.'),
  XDG_DATA_HOME: z.string().optional().describe('Base of the default data directory.'),
  NO_COLOR: z.string().optional().describe('No colours when set.'),
  TERM: z.string().default('').describe('No colours when "dumb".'),
})

/** Settings that may also be given as the path of a file, in NAME_FILE. */
export const secretSettings = [
  'MUSTER_DATABASE_URL',
  'MUSTER_TOKEN',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
] as const

export type Environment = Readonly<Record<string, string | undefined>>

export type Config = Readonly<{
  data: string
  host: string
  port: number
  databaseUrl: string | null
  databaseDir: string | null
  databaseReserveMb: number | null
  ollamaUrl: string
  hub: string | null
  token: string | null
  slots: number
  capabilities: readonly string[]
  messageDays: number
  maxRunning: number
  maxWaiting: number
  logLevel: string
  logSizes: Readonly<LogSizes>
  workerPolicy: RestartPolicy
  wake: string
  restartGraceSeconds: number
  workerMemoryMb: number
  wallTools: readonly string[]
  lifeline: boolean
  colour: boolean
  /** What the hub is told about models, keys included; no other process is. */
  models: Readonly<Record<string, string>>
  /** What child processes get besides what they are told; no secrets, no keys of models. */
  inherited: Readonly<Record<string, string>>
  /** Names that begin like ours and mean nothing. */
  unknown: readonly string[]
}>

export function readConfig(environment: Environment): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = settings.safeParse(withSecretFiles(given))
  if (!parsed.success) throw invalid(parsed.error.issues)
  const value = parsed.data
  return Object.freeze({
    data: resolve(value.MUSTER_DATA ?? defaultData(value.XDG_DATA_HOME)),
    host: value.MUSTER_HOST,
    port: value.MUSTER_PORT,
    databaseUrl: value.MUSTER_DATABASE_URL ?? null,
    databaseDir: value.MUSTER_DATABASE_DIR ?? null,
    databaseReserveMb: value.MUSTER_DATABASE_RESERVE ?? null,
    ollamaUrl: ollamaUrl(value.MUSTER_OLLAMA_URL ?? value.OLLAMA_HOST),
    hub: value.MUSTER_HUB?.replace(/\/+$/, '') ?? null,
    token: value.MUSTER_TOKEN ?? null,
    slots: value.MUSTER_SLOTS ?? Math.min(8, availableParallelism()),
    capabilities: Object.freeze(value.MUSTER_CAPABILITIES),
    messageDays: value.MUSTER_MESSAGE_DAYS,
    maxRunning: value.MUSTER_MAX_RUNNING,
    maxWaiting: value.MUSTER_MAX_WAITING,
    logLevel: value.MUSTER_LOG_LEVEL,
    logSizes: Object.freeze({
      bytes: value.MUSTER_LOG_FILE_MB * 1024 * 1024,
      files: value.MUSTER_LOG_FILES,
    }),
    workerPolicy: workerPolicy({
      restarts: value.MUSTER_WORKER_RESTARTS,
      minUptimeMs: value.MUSTER_WORKER_MIN_UPTIME * 1_000,
      delayMs: value.MUSTER_WORKER_RESTART_DELAY * 1_000,
    }),
    wake: value.MUSTER_WAKE,
    restartGraceSeconds: value.MUSTER_RESTART_GRACE,
    workerMemoryMb: value.MUSTER_WORKER_MEMORY,
    wallTools: Object.freeze(value.MUSTER_WALL_TOOLS.split(':').filter((path) => path !== '')),
    lifeline: value.MUSTER_LIFELINE === '1',
    colour: value.NO_COLOR === undefined && value.TERM !== 'dumb',
    models: Object.freeze(modelsFrom(value)),
    inherited: Object.freeze(inheritedFrom(given)),
    unknown: Object.freeze(unknownIn(given)),
  })
}

function withSecretFiles(given: Record<string, string | undefined>): Record<string, string | undefined> {
  const read = { ...given }
  for (const name of secretSettings) {
    const path = given[`${name}_FILE`]
    if (path === undefined) continue
    if (given[name] !== undefined) {
      throw new Failure('invalid_setting', `${name} and ${name}_FILE are both set.`, 'Set one of them.')
    }
    try {
      read[name] = readFileSync(path, 'utf8').trim()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Failure(
        'invalid_setting',
        `${name}_FILE cannot be read: ${why}`,
        'Check the path and its rights.',
      )
    }
  }
  return read
}

function invalid(issues: z.core.$ZodIssue[]): Failure {
  const sentences = issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`)
  return new Failure('invalid_setting', sentences.join(' '), 'Correct or unset the variable, then try again.')
}

function defaultData(xdg: string | undefined): string {
  // The XDG specification says to ignore a relative path.
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local/share'), 'muster')
}

/** Ollama accepts `host`, `host:port` and URLs; an address to listen on is not one to connect to. */
export function ollamaUrl(text: string | undefined): string {
  const given = (text ?? '127.0.0.1:11434').trim().replace(/\/+$/, '')
  const scheme = /^https?:\/\//.exec(given)?.[0]
  const rest = given.slice(scheme?.length ?? 0).replace(/^0\.0\.0\.0(?=:|$)/, '127.0.0.1')
  const port = scheme !== undefined || /:\d+$/.test(rest) ? '' : ':11434'
  return `${scheme ?? 'http://'}${rest}${port}`
}

function modelsFrom(value: z.infer<typeof settings>): Record<string, string> {
  const given = {
    MUSTER_OLLAMA_URL: ollamaUrl(value.MUSTER_OLLAMA_URL ?? value.OLLAMA_HOST),
    OPENAI_API_KEY: value.OPENAI_API_KEY,
    OPENAI_BASE_URL: value.OPENAI_BASE_URL,
    ANTHROPIC_API_KEY: value.ANTHROPIC_API_KEY,
    ANTHROPIC_BASE_URL: value.ANTHROPIC_BASE_URL,
    MUSTER_MODEL: value.MUSTER_MODEL,
    MUSTER_MODEL_WAIT: String(value.MUSTER_MODEL_WAIT * 1_000),
  }
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  )
}

const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|XDG_\w+|SSH_AUTH_SOCK|GIT_SSH(_COMMAND)?|(https?|no|all)_proxy|NODE_(EXTRA_CA_CERTS|COMPILE_CACHE)|SSL_CERT_(FILE|DIR))$/i

function inheritedFrom(given: Record<string, string | undefined>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && passedOn.test(name)) kept[name] = value
  }
  return kept
}

function unknownIn(given: Record<string, string | undefined>): string[] {
  const known = new Set([...Object.keys(settings.shape), ...secretSettings.map((name) => `${name}_FILE`)])
  return Object.keys(given).filter((name) => name.startsWith('MUSTER_') && !known.has(name))
}
