import { readFile } from 'node:fs/promises'
import { taskCreate, type TaskCreateInput } from '@muster/contract/tasks'
import { parseCheck } from '../check-option.ts'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import { finish } from './follow-task.ts'

export type TaskAddOptions = {
  repo?: string
  title: string
  run?: string
  prompt?: string
  model?: string
  practice?: string
  fixes?: number
  budget?: number
  description?: string
  check?: string[]
  lane?: string
  tier?: string
  needs?: string[]
  worker?: string
  after?: string[]
  retries?: number
  delay?: number
  ttl?: number
  completeBy?: string
  file?: string[]
  criterion?: string[]
  metadata?: string[]
  wall?: string
  network?: string
  mayChange?: string[]
  allowEmpty?: boolean
  timeout?: number
  wait?: boolean
  idempotencyKey?: string
}

export const addTask: Command<TaskAddOptions> = async (context, options) => {
  // Everything that can be wrong without the hub is refused before anything is sent.
  const body = taskFrom(await withScript(options))
  const hub = await context.hub()
  const after = await Promise.all(
    (options.after ?? []).map(async (task) => (await hub.call('getTask', { params: { task } })).id),
  )
  const task = await hub.call('createTask', {
    body: { ...body, after },
    ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
  })
  const { output } = context
  if (options.wait === true) return finish(context, hub, task, { showOutput: false })
  if (output.json) output.document(task)
  else {
    output.line(task.id)
    output.note(`Task ${task.short} is ${task.state}. Follow it: npx muster task watch ${task.short}`)
  }
  return 0
}

function taskFrom(options: TaskAddOptions): TaskCreateInput {
  const { check, timeout, delay, ttl, file, criterion, metadata, budget, after, ...rest } = options
  const candidate: Record<string, unknown> = {
    checks: (check ?? []).map(parseCheck),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    ...(budget === undefined ? {} : { budgetUsd: budget }),
    ...(file === undefined ? {} : { fileHints: file }),
    ...(criterion === undefined ? {} : { criteria: criterion }),
    ...(metadata === undefined ? {} : { metadata: Object.fromEntries(metadata.map(pairOf)) }),
  }
  for (const name of named) if (rest[name] !== undefined) candidate[name] = rest[name]
  const parsed = taskCreate.safeParse(candidate)
  if (!parsed.success) {
    const sentences = parsed.error.issues.map(({ path, message }) => `${flagOf(path)} ${message}.`)
    throw new Failure(
      'usage',
      sentences.join(' ').replaceAll('..', '.'),
      'Nothing was handed in. See "npx muster task add --help".',
    )
  }
  for (const ref of after ?? []) if (!/^[0-9a-f-]{8,36}$/.test(ref)) throw notATask(ref)
  return candidate as TaskCreateInput
}

const named = [
  'repo',
  'title',
  'run',
  'prompt',
  'model',
  'practice',
  'fixes',
  'description',
  'lane',
  'tier',
  'needs',
  'worker',
  'retries',
  'completeBy',
  'wall',
  'network',
  'mayChange',
  'allowEmpty',
] as const satisfies (keyof TaskAddOptions)[]

function flagOf(path: PropertyKey[]): string {
  const name = String(path[0] ?? 'task')
  if (name === 'timeoutMs') return '--timeout'
  const given: Record<string, string> = {
    checks: '--check',
    delayMs: '--delay',
    ttlMs: '--ttl',
    budgetUsd: '--budget',
    fileHints: '--file',
    criteria: '--criterion',
  }
  if (given[name] !== undefined) return given[name]
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The script itself, for the hub knows no files of this machine. */
async function withScript(options: TaskAddOptions): Promise<TaskAddOptions> {
  const { practice: path } = options
  if (path === undefined) return options
  try {
    return { ...options, practice: await readFile(path, 'utf8') }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure('usage', `--practice "${path}" cannot be read: ${why}.`, 'Name a file with a script.')
  }
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Failure('usage', `--metadata "${text}" is not KEY=VALUE.`, 'Write it like ticket=42.')
  return [text.slice(0, at), text.slice(at + 1)]
}

function notATask(ref: string): Failure {
  return new Failure(
    'usage',
    `--after "${ref}" is not a task.`,
    'Give the id, or its last 8 characters as "npx muster task list" shows them.',
  )
}
