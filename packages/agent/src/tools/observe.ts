import type { Observation } from '../loop/toolbox.ts'
import type { Answer } from './answer-lines.ts'
import type { ToolName } from './specs.ts'
import type { Reply } from './tool-server.ts'

type Kind = 'string' | 'number' | 'boolean' | 'strings' | 'hits'

/** What an answer may hold besides success, code and error. What is not here is left out, and a wrong kind is no answer. */
const fieldsOf: Readonly<Record<ToolName, Record<string, Kind>>> = {
  read_file: {
    path: 'string',
    content: 'string',
    start_line: 'number',
    end_line: 'number',
    total_lines: 'number',
    truncated: 'boolean',
    next_start_line: 'number',
    size_bytes: 'number',
  },
  write_file: { path: 'string', bytes: 'number', created: 'boolean', unchanged: 'boolean' },
  edit_file: {
    path: 'string',
    replacements: 'number',
    matches: 'number',
    lines: 'string',
    line: 'number',
    actual: 'string',
    size_bytes: 'number',
  },
  list_directory: { path: 'string', entries: 'strings', truncated: 'boolean' },
  search_files: {
    hits: 'hits',
    files_searched: 'number',
    truncated: 'boolean',
    timed_out: 'boolean',
    literal: 'boolean',
  },
  run_command: {
    exit_code: 'number',
    signal: 'string',
    timed_out: 'boolean',
    stdout: 'string',
    stderr: 'string',
    truncated: 'boolean',
    dropped_bytes: 'number',
    ended_background_processes: 'number',
    duration_ms: 'number',
  },
}

/** What the server's answer, which may be anything, is as an observation. */
export function observe(name: ToolName, reply: Reply): Observation {
  if (reply.kind === 'lost') return lost(name, reply)
  const { answer } = reply
  const fields = readFields(name, answer.fields)
  if (fields === undefined || (!answer.success && answer.code === undefined)) {
    return {
      success: false,
      code: 'TOOL_ANSWER_INVALID',
      error: 'The tool gave no readable answer. Look at the files before you go on.',
      changed: true,
    }
  }
  if (!answer.success)
    return { success: false, code: answer.code as string, error: answer.error ?? '', ...fields }
  if (name === 'run_command') return command(fields)
  const changes = (name === 'write_file' || name === 'edit_file') && fields['unchanged'] !== true
  return { success: true, ...fields, ...(changes ? { changed: true } : {}) }
}

function lost(name: ToolName, { why, limit }: Extract<Reply, { kind: 'lost' }>): Observation {
  const reason = limit === undefined ? why : `${limits[limit] ?? 'a limit of the run was reached'} (${limit})`
  return {
    success: false,
    code: 'TOOL_SERVER_LOST',
    error: `The tools ended during this call, with every process of it: ${reason}. They are started again; files stay as they are.`,
    ...(limit === undefined ? {} : { limit }),
    ...(name === 'run_command' || name === 'write_file' || name === 'edit_file' ? { changed: true } : {}),
  }
}

const limits: Readonly<Record<string, string>> = {
  memory_limit: 'it used more memory than the run may have',
  process_limit: 'it started more processes than the run may have',
  disk_limit: 'it wrote more to the disk than the run may hold',
  timed_out: 'the time of the run is over',
}

function command(fields: Record<string, unknown>): Observation {
  const changed = true
  if (fields['timed_out'] === true) {
    const error = 'The command took too long and was ended. Give timeout_s, or run less.'
    return { success: false, code: 'COMMAND_TIMED_OUT', error, ...fields, changed }
  }
  if (fields['exit_code'] === 0) return { success: true, ...fields, changed }
  const how =
    typeof fields['signal'] === 'string'
      ? `by ${fields['signal']}`
      : `with exit code ${String(fields['exit_code'])}`
  return { success: false, code: 'COMMAND_FAILED', error: `The command ended ${how}.`, ...fields, changed }
}

/** Undefined: something in it is not what it must be. */
function readFields(name: ToolName, given: Answer['fields']): Record<string, unknown> | undefined {
  const fields: Record<string, unknown> = {}
  for (const [field, kind] of Object.entries(fieldsOf[name])) {
    const value = given[field]
    if (value === undefined || value === null) continue
    if (!isKind(kind, value)) return undefined
    fields[field] = value
  }
  return fields
}

function isKind(kind: Kind, value: unknown): boolean {
  if (kind === 'number') return typeof value === 'number' && Number.isFinite(value)
  if (kind === 'strings') return Array.isArray(value) && value.every((each) => typeof each === 'string')
  if (kind === 'hits') return Array.isArray(value) && value.every(isHit)
  return typeof value === kind
}

function isHit(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { path, line, text, ...rest } = value as Record<string, unknown>
  return (
    typeof path === 'string' &&
    typeof line === 'number' &&
    typeof text === 'string' &&
    Object.keys(rest).length === 0
  )
}
