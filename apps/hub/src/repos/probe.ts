import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MusterError } from '../kernel/errors.ts'

const run = promisify(execFile)

/** Which addresses git may be given at all. Anything else could name a helper program (`ext::`) or an option. */
export function addressKind(url: string): 'path' | 'remote' | 'refused' {
  if (isAbsolute(url) || url.startsWith('file:///')) return 'path'
  if (/^(https|ssh):\/\/[^-]/.test(url)) return 'remote'
  // The scp form user@host:path; a host may not begin with a dash.
  if (/^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:[^-:]/.test(url)) return 'remote'
  return 'refused'
}

/**
 * Asks git for the branches of a repository. Reads only, with no configuration but ours, no prompt, 30 s at most.
 * git refuses a repository of another user unless told it is safe; the person named it here, which tells.
 */
export async function probeRepository(url: string): Promise<void> {
  const kind = addressKind(url)
  if (kind === 'refused') {
    throw new MusterError(
      'repo_url_refused',
      `${url} is not an absolute path, a file:// or https:// or ssh address.`,
    )
  }
  if (kind === 'path') await mustBeDirectory(url.startsWith('file:') ? fileURLToPath(url) : url)
  let stdout: string
  try {
    stdout = (
      await run('git', ['ls-remote', '--heads', '--', url], { timeout: 30_000, env: gitEnvironment() })
    ).stdout
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? (error as Error).message)
    const code =
      kind === 'path' && /not a git repository|does not appear to be a git/.test(said)
        ? 'repo_not_git'
        : 'repo_unreachable'
    throw new MusterError(code, `git cannot read ${url}: ${said.trim().split('\n')[0] ?? ''}`)
  }
  if (stdout.trim() === '') throw new MusterError('repo_empty', `${url} has no commit yet.`)
}

async function mustBeDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new MusterError('repo_not_found', `Nothing is at ${path}.`)
  if (!found.isDirectory()) throw new MusterError('repo_not_git', `${path} is not a directory.`)
}

/** Built from nothing: no user or system configuration, so nothing in it can run a program. */
function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: `${import.meta.dirname}/probe.gitconfig`,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=10',
  }
}
