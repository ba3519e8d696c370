export type CheckKind = 'file_exists' | 'command_succeeds' | 'test_passes' | 'git_clean'

/** Something the platform executes to prove a task. `target` is a path, a command, `auto`, or empty for `git_clean`. */
export type Check = { kind: CheckKind; target: string; timeoutMs?: number | undefined }

/** 120 s is the limit people know from the requirements; a check or the task may name another. */
export const defaultCheckLimitMs = 120_000

/** Null when the target names a place inside the workspace, else the reason why it does not. */
export function refusePath(path: string): string | null {
  if (path === '') return 'file_exists needs a path.'
  if (path.startsWith('/')) return `The path ${path} is absolute; name it from the root of the repository.`
  if (path.includes('\0')) return 'The path contains a zero byte.'
  if (path.split('/').includes('..')) return `The path ${path} leaves the repository.`
  return null
}
