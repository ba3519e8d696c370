import type { ToolName } from './specs.ts'

export type Bounds = { maxCommandMs: number; graceMs: number; maxBytes: number }

export type Request = { ok: true; args: object; limitMs: number } | { ok: false; code: string; error: string }

type Args = Record<string, string | number | boolean>

/** More than this is not written by a model in one answer. */
const maxContentBytes = 2 ** 20
const maxCommandChars = 100_000
const defaultCommandMs = 30_000
/** What a tool other than a command may take before its server is given up. */
const fileMs = 30_000
/** Then it answers with what it found so far. */
const searchMs = 8_000
/** For the tidying up after a command. */
const slackMs = 10_000

/** What the server is told: checked arguments with their defaults and bounds, and how long an answer may take. */
export function requestOf(name: ToolName, args: Args, bounds: Bounds): Request {
  const { maxBytes } = bounds
  const tooLarge = ['content', 'old', 'new'].find(
    (field) => Buffer.byteLength(String(args[field] ?? '')) > maxContentBytes,
  )
  if (tooLarge !== undefined) {
    return { ok: false, code: 'INVALID_ARGUMENTS', error: `"${tooLarge}" is longer than 1 MB.` }
  }
  const plain = (extra: object): Request => ({ ok: true, args: { ...args, ...extra }, limitMs: fileMs })
  switch (name) {
    case 'read_file': {
      const { path, start_line: startLine = 1, end_line: endLine } = args
      if (endLine !== undefined && endLine < startLine) {
        return { ok: false, code: 'INVALID_ARGUMENTS', error: '"end_line" is before "start_line".' }
      }
      return { ok: true, args: { path, startLine, endLine, maxBytes }, limitMs: fileMs }
    }
    case 'run_command':
      return commandRequest(args, bounds)
    case 'list_directory':
      return plain({ path: args['path'] ?? '.', depth: args['depth'] ?? 1, maxBytes })
    case 'search_files':
      return plain({ path: args['path'] ?? '.', maxBytes, timeoutMs: searchMs })
    default:
      return plain({})
  }
}

function commandRequest(args: Args, { maxCommandMs, graceMs, maxBytes }: Bounds): Request {
  const command = String(args['command'])
  if (command.trim() === '' || command.includes('\0') || command.length > maxCommandChars) {
    const error = '"command" must be a shell command without NUL characters, of at most 100 000 characters.'
    return { ok: false, code: 'INVALID_ARGUMENTS', error }
  }
  const asked = args['timeout_s'] === undefined ? defaultCommandMs : Number(args['timeout_s']) * 1_000
  const timeoutMs = Math.min(asked, maxCommandMs)
  return {
    ok: true,
    args: { command, cwd: args['cwd'] ?? '.', timeoutMs, graceMs, maxBytes: Math.floor(maxBytes / 2) },
    limitMs: timeoutMs + graceMs + slackMs,
  }
}
