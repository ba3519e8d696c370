export type PostgresErrorCode =
  | 'binaries_missing'
  | 'data_directory_invalid'
  | 'data_directory_unreachable'
  | 'database_in_use'
  | 'backends_linger'
  | 'fsync_off'
  | 'full_page_writes_off'
  | 'initdb_failed'
  | 'password_missing'
  | 'server_too_old'
  | 'socket_directory_taken'
  | 'socket_path_too_long'
  | 'start_failed'
  | 'start_timeout'
  | 'stop_failed'
  | 'synchronous_commit_off'
  | 'version_mismatch'

/** The code is for programs, the message says what happened, the hint what a person can do about it. */
export class PostgresError extends Error {
  readonly code: PostgresErrorCode
  readonly hint: string

  constructor(code: PostgresErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PostgresError'
    this.code = code
    this.hint = hint
  }
}
