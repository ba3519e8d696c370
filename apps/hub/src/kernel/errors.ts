import { docsFor, errorTable, type ErrorBody, type ErrorCode } from '@muster/contract/errors'

/** A refusal with a code of the contract's table. `message` says what happened, in words of the request. */
export class MusterError extends Error {
  readonly code: ErrorCode
  readonly status: number
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
    this.status = errorTable[code].status
  }
}

export function errorBody(error: MusterError, requestId?: string): ErrorBody {
  return {
    code: error.code,
    message: error.message,
    hint: errorTable[error.code].hint,
    docs: docsFor(error.code),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

/** The database is away or full: the request was not done, and may be tried again as it is. */
export function isDatabaseTrouble(error: unknown): error is MusterError {
  return error instanceof MusterError && ['database_unavailable', 'database_full'].includes(error.code)
}

/** SQLSTATE of a PostgreSQL error, or the code of a socket error; undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * Failures of the connection or of the server as a whole: the request may be tried again later.
 * Class 08, 57P0x (shutdown, crash, cannot connect now), 53x (no resources) and sockets.
 */
export function isDatabaseDown(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined) {
    // 57014 and 25P03 are our own time limits on a statement and on an idle transaction; 25006 is a server that takes no
    // writes, as a standby is or one that is being moved.
    if (/^(08|53|57P0|57014|25P03|25006)/.test(code)) return true
    if (['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT'].includes(code)) return true
  }
  return error instanceof Error && clientErrors.test(error.message)
}

// What pg says without a code: of a query under way, of one that comes after the connection ended, and of the pool.
const clientErrors =
  /^(Connection terminated|Client (has encountered a connection error|was closed) and is not queryable|timeout exceeded when trying to connect)/
