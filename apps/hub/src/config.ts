import { readFileSync } from 'node:fs'
import { ollamaAddress } from '@muster/llm/discover/ollama-address'
import { z } from 'zod'
import { readAddress } from './models/address.ts'
import type { ModelSettings } from './models/settings.ts'
import { defaultLimits, type QueueLimits } from './tasks/limits.ts'

/** Loopback only: this version has no TLS, and a token must not cross a network in the clear. */
const loopback = z
  .string()
  .refine(
    (host) => ['127.0.0.1', 'localhost', '::1'].includes(host),
    'only a loopback address is allowed (127.0.0.1, localhost or ::1); put a TLS proxy in front to serve other machines',
  )

const environment = z.object({
  MUSTER_DATABASE_URL: z
    .string()
    .min(1)
    .describe('PostgreSQL connection string of the role that owns the database'),
  MUSTER_DATA: z.string().min(1).describe('Data directory; local tokens are left here'),
  MUSTER_HOST: loopback.default('127.0.0.1').describe('Address to listen on; loopback only'),
  MUSTER_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(4600)
    .describe('Port to listen on; 0 picks one'),
  MUSTER_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least level logged'),
  MUSTER_WEB_DIST: z.string().optional().describe('Folder of the built page'),
  MUSTER_MESSAGE_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(365)
    .default(7)
    .describe('Days that an unread message waits in a mailbox'),
  MUSTER_LOCAL: z
    .enum(['0', '1'])
    .default('0')
    .describe('1: leave tokens for the local CLI and worker in the data directory'),
  MUSTER_MAX_RUNNING: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(defaultLimits.maxRunning)
    .describe('Tasks of one workspace that run at once, at most'),
  MUSTER_MAX_WAITING: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(defaultLimits.maxWaiting)
    .describe('Tasks of one workspace that wait, at most; beyond it a new one is refused with 429'),
  MUSTER_QUIET_AFTER: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(defaultLimits.quietMs)
    .describe('Milliseconds without progress after which a run is said to be quiet'),
  MUSTER_STALLED_AFTER: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(defaultLimits.noProgressMs)
    .describe('Milliseconds without progress after which a run is given up'),
  MUSTER_DATABASE_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Directory on the disk of the database, if that is on this machine; its free space is watched'),
  MUSTER_DATABASE_RESERVE: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('MB that must be free there; below it new tasks are refused. Default: 512, or 5 % if less'),
  MUSTER_NOTIFY: z
    .enum(['on', 'off'])
    .default('on')
    .describe('off: hubs do not wake each other through the database; each looks once a second'),
  MUSTER_OLLAMA_URL: z.string().optional().describe('Ollama that is an endpoint of every workspace'),
  OLLAMA_HOST: z.string().optional().describe('Read where MUSTER_OLLAMA_URL is not set'),
  OPENAI_API_KEY: z.string().min(1).optional().describe('Makes an OpenAI-compatible server an endpoint'),
  OPENAI_BASE_URL: z.string().default('https://api.openai.com/v1').describe('Where that server is'),
  ANTHROPIC_API_KEY: z.string().min(1).optional().describe('Makes Anthropic an endpoint'),
  ANTHROPIC_BASE_URL: z.string().default('https://api.anthropic.com').describe('Where Anthropic is'),
  MUSTER_MODEL: z.string().optional().describe('Model that is preferred among those that fit'),
  MUSTER_MODEL_WAIT: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .default(5_000)
    .describe('Milliseconds that a task waits for a model of its own tier before another one is tried'),
  MUSTER_LIFELINE: z.enum(['0', '1']).default('0').describe('1: stop when the parent process goes away'),
})

export type Config = Readonly<{
  databaseUrl: string
  dataDir: string
  host: string
  port: number
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  webDist: string | null
  messageDays: number
  local: boolean
  lifeline: boolean
  limits: QueueLimits
  models: ModelSettings
  databaseDisk: { dir: string | null; reserveMb: number | null }
  notify: boolean
}>

/** The environment as a complete configuration; throws a sentence that names the key and the safe form. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = environment.safeParse({ ...withoutEmpty(env), ...secretsOf(env) })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`${String(issue?.path[0] ?? 'configuration')}: ${issue?.message ?? 'is not valid'}`)
  }
  const value = parsed.data
  return Object.freeze({
    databaseUrl: value.MUSTER_DATABASE_URL,
    dataDir: value.MUSTER_DATA,
    host: value.MUSTER_HOST,
    port: value.MUSTER_PORT,
    logLevel: value.MUSTER_LOG_LEVEL,
    webDist: value.MUSTER_WEB_DIST ?? null,
    messageDays: value.MUSTER_MESSAGE_DAYS,
    local: value.MUSTER_LOCAL === '1',
    lifeline: value.MUSTER_LIFELINE === '1',
    limits: {
      maxRunning: value.MUSTER_MAX_RUNNING,
      maxWaiting: value.MUSTER_MAX_WAITING,
      quietMs: value.MUSTER_QUIET_AFTER,
      noProgressMs: value.MUSTER_STALLED_AFTER,
    },
    models: modelSettings(value),
    databaseDisk: {
      dir: value.MUSTER_DATABASE_DIR ?? null,
      reserveMb: value.MUSTER_DATABASE_RESERVE ?? null,
    },
    notify: value.MUSTER_NOTIFY === 'on',
  })
}

function modelSettings(value: z.infer<typeof environment>): ModelSettings {
  const cloud = (kind: 'openai' | 'anthropic', key: string | undefined, url: string) =>
    key === undefined ? null : { key, url: readAddress(kind, url) }
  return {
    ollamaUrl: readAddress('ollama', ollamaAddress(value.MUSTER_OLLAMA_URL ?? value.OLLAMA_HOST)),
    openai: cloud('openai', value.OPENAI_API_KEY, value.OPENAI_BASE_URL),
    anthropic: cloud('anthropic', value.ANTHROPIC_API_KEY, value.ANTHROPIC_BASE_URL),
    model: value.MUSTER_MODEL ?? null,
    waitMs: value.MUSTER_MODEL_WAIT,
  }
}

const secrets = ['MUSTER_DATABASE_URL', 'OPENAI_API_KEY', 'ANTHROPIC_API_KEY']

/** Each by itself or as the content of a file. */
function secretsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    secrets.flatMap((name) => {
      const file = env[`${name}_FILE`]
      const value = env[name] || (file === undefined ? undefined : readFileSync(file, 'utf8').trim())
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** An empty variable is how a shell leaves one unset for a program. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}
