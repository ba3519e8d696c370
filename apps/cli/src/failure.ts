import type { ErrorBody } from '@muster/contract/errors'
import { exitCodeFor } from './exit-code.ts'

/** A refusal made by the command line itself, before or beside the hub. Shaped like the hub's own errors. */
export class Failure extends Error {
  readonly code: string
  readonly hint: string
  readonly exit: number

  constructor(code: string, message: string, hint: string, exit?: number) {
    super(message)
    this.code = code
    this.hint = hint
    this.exit = exit ?? exitCodeFor({ code, status: null })
  }
}

export const helpHint = 'Add --help to the command to see what it takes.'

export type Reported = {
  code: string
  message: string
  hint: string
  docs: string
  requestId?: string
  exit: number
}

type FromHub = { status: number; body: ErrorBody }

/**
 * Everything that can end a command, as one shape. Errors are recognised by what they carry and not by their class,
 * so that a command that never speaks to a hub does not load the client.
 */
export function reportOf(error: unknown): Reported {
  if (error instanceof Failure) {
    const { code, message, hint, exit } = error
    return { code, message, hint, docs: `docs/errors.md#${code}`, exit }
  }
  if (isFromHub(error)) {
    const { code, message, docs, requestId } = error.body
    const seen = requestId === undefined ? {} : { requestId }
    // The hub speaks of fields and its schema; who typed a command has its help.
    const hint = code === 'invalid_request' ? helpHint : error.body.hint
    return { code, message, hint, docs, ...seen, exit: exitCodeFor({ code, status: error.status }) }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (isMismatch(error)) return answerNotUnderstood(error.issues)
  const hint = carried(error, 'hint') ?? 'Run "npx muster doctor"; it looks for the usual causes.'
  return { code: carried(error, 'code') ?? 'failed', message, hint, docs: 'docs/errors.md', exit: 1 }
}

/** A status of 0 means that nothing answered at all. */
function isFromHub(error: unknown): error is FromHub {
  return error instanceof Error && 'status' in error && 'body' in error && typeof error.status === 'number'
}

type Issue = { path: PropertyKey[]; message: string }

/** zod's error, told by its shape for the same reason. */
function isMismatch(error: unknown): error is { issues: Issue[] } {
  return error instanceof Error && 'issues' in error && Array.isArray(error.issues)
}

function answerNotUnderstood(issues: Issue[]): Reported {
  const places = issues.slice(0, 3).map(({ path, message }) => `${path.join('.')}: ${message}`)
  return {
    code: 'version_mismatch',
    message: `The hub's answer does not fit this version of the command line: ${places.join('; ')}.`,
    hint: 'Use the command line of the checkout that the hub runs from.',
    docs: 'docs/errors.md#version_mismatch',
    exit: 1,
  }
}

function carried(error: unknown, key: 'code' | 'hint'): string | undefined {
  if (!(error instanceof Error) || !(key in error)) return undefined
  const value = (error as unknown as Record<string, unknown>)[key]
  return typeof value === 'string' ? value : undefined
}
