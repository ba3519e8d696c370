export type GitErrorCode =
  | 'git_failed'
  | 'git_timed_out'
  | 'git_aborted'
  | 'git_output_too_large'
  | 'repo_url_refused'
  | 'repo_not_found'
  | 'repo_not_git'
  | 'repo_empty'
  | 'repo_no_default_branch'
  | 'repo_unreachable'
  | 'checkout_failed'
  | 'carry_out_failed'
  | 'history_rewritten'
  | 'take_in_refused'
  | 'nested_repository'
  | 'branch_refused'
  | 'branch_checked_out'
  | 'publish_refused'

/** A failure a person can act on: what happened, what to do, and git's own words for whoever wants them. */
export class GitError extends Error {
  readonly code: GitErrorCode
  readonly hint: string
  readonly stderr: string

  constructor(code: GitErrorCode, message: string, detail: { hint?: string; stderr?: string } = {}) {
    super(cut(withoutPasswords(message)))
    this.name = 'GitError'
    this.code = code
    this.hint = cut(withoutPasswords(detail.hint ?? ''))
    this.stderr = withoutPasswords(detail.stderr ?? '').slice(-4000)
  }
}

/**
 * A message holds paths and words of git's that the agent may have chosen, and the hub ends the connection of a worker
 * whose reason is longer than 2 000 characters: it would be sent again for ever. Code, message and hint fit together.
 */
function cut(text: string): string {
  return text.length <= 900 ? text : `${text.slice(0, 899)}…`
}

/** Git repeats the URL in its messages, and a URL may carry `user:token@`. */
export function withoutPasswords(text: string): string {
  return text.replace(/(\w+:\/\/)[^/\s@]+@/g, '$1***@')
}
