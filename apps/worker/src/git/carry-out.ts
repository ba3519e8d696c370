import type { ExecResult, Sandbox } from '@muster/sandbox/sandbox'
import { open, rm } from 'node:fs/promises'
import { GitError } from './git-error.ts'
import { lastLine } from './git.ts'

export type CarryOutOptions = {
  message: string
  author: { name: string; email: string }
  /** The commit the run started from. */
  base: string
  taskId: string
  runId: string
  /** Where the bundle is written on this machine; must not exist. */
  into: string
  signal?: AbortSignal | undefined
}

/** `bundle` is null when the run left the repository as it was. */
export type CarriedOut = { commit: string; bundle: string | null; bytes: number }

/** A result above this is a build directory or a data set that was not ignored, and it would go into every clone. */
const bundleLimitBytes = 256 * 1024 * 1024
const commitLimitMs = 120_000
/** 8 MiB is 11 MiB as base64: large enough that the usual result is one piece, small enough to hold. */
const pieceBytes = 8 * 1024 * 1024
const pieceLimitMs = 60_000

/**
 * Commits what the run left and writes it as a bundle, inside the wall.
 *
 * The repository is the agent's: its configuration, attributes and hooks may be hostile, so no git outside the wall
 * ever looks at it. The options here are for a faithful result, not for safety. Commits of the agent's own are kept;
 * whatever HEAD points at is the result, whichever branch that is. Lock files are left by a git that was killed with
 * the command, and nothing else is alive when this runs.
 */
const script = `
cd /workspace || exit 91
base=$1
run() {
  git --git-dir=/workspace/.git --work-tree=/workspace -c core.hooksPath=/dev/null -c core.fsmonitor=false \\
    -c core.bare=false -c core.autocrlf=false -c commit.gpgSign=false -c gc.auto=0 -c maintenance.auto=false \\
    -c advice.addEmbeddedRepo=false "$@"
}
for left in .git/index.lock .git/HEAD.lock .git/muster.bundle; do
  [ ! -e "$left" ] && [ ! -L "$left" ] || rm -f "$left"
done
run add --all || { run rev-parse --git-dir >/dev/null && exit 92; exit 91; }
run diff --cached --quiet --no-ext-diff
case $? in
  0) ;;
  1) run commit --quiet --no-verify --cleanup=whitespace --file=- >&2 || exit 93 ;;
  *) exit 93 ;;
esac
line=$(run rev-list -1 --parents HEAD --) || exit 91
head=\${line%% *}
case "$line " in
  "$base "* | *" $base "*) ;;
  *) run merge-base --is-ancestor "$base" "$head"
    case $? in 0) ;; 1) exit 94 ;; *) exit 91 ;; esac ;;
esac
if [ "$base" != "$head" ]; then
  run bundle create --quiet .git/muster.bundle HEAD "^$base" >&2 || exit 95
  bytes=$(stat -c %s .git/muster.bundle) || exit 95
fi
echo "$head \${bytes:-0}"
[ -z "$bytes" ] || dd if=.git/muster.bundle bs="$2" count=1 iflag=fullblock status=none | base64 -w 0
`

const failures: Record<number, string> = {
  91: 'the repository in the workspace can no longer be read',
  92: 'the changed files could not be added',
  93: 'the changes could not be committed',
  95: 'the result could not be packed',
}

export async function commitInside(wall: Sandbox, options: CarryOutOptions): Promise<CarriedOut> {
  const done = await wall.exec(['/bin/sh', '-c', script, 'carry-out', options.base, String(pieceBytes)], {
    cwd: '/',
    env: environment(options.author),
    stdin: `${options.message.trim()}\n\nMuster-Task: ${options.taskId}\nMuster-Run: ${options.runId}\n`,
    timeoutMs: commitLimitMs,
    maxOutputBytes: 2 * pieceBytes,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  if (done.ended !== 'exited' || done.code !== 0) throw explain(done)
  const end = done.stdout.indexOf('\n') + 1
  const [, commit = '', size = ''] = /^([0-9a-f]{40}) (\d+)\n$/.exec(done.stdout.slice(0, end)) ?? []
  const bytes = Number(size)
  if (commit === '') throw failed('git in the wall gave no commit', done.stdout)
  if (bytes === 0) return { commit, bundle: null, bytes }
  if (bytes > bundleLimitBytes) throw tooLarge(bytes)
  await readOut(wall, options, { bytes, first: Buffer.from(done.stdout.slice(end), 'base64') })
  return { commit, bundle: options.into, bytes }
}

function environment({ name, email }: CarryOutOptions['author']): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C.UTF-8',
  }
}

/** Standard output is text, so the bytes travel as base64, piece by piece; the size and the first piece came before. */
async function readOut(
  wall: Sandbox,
  options: CarryOutOptions,
  { bytes, first }: { bytes: number; first: Buffer },
) {
  const file = await open(options.into, 'wx', 0o600)
  let whole = false
  try {
    for (let at = 0; at * pieceBytes < bytes; at += 1) {
      const piece = at === 0 ? first : await readPiece(wall, at, options.signal)
      if (piece.length !== Math.min(pieceBytes, bytes - at * pieceBytes))
        throw failed('the result changed while it was read')
      await file.write(piece)
    }
    whole = true
  } finally {
    await file.close()
    if (!whole) await rm(options.into, { force: true })
  }
}

async function readPiece(wall: Sandbox, at: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const command =
    'dd if=/workspace/.git/muster.bundle bs="$1" skip="$2" count=1 iflag=fullblock status=none | base64 -w 0'
  const read = await wall.exec(['/bin/sh', '-c', command, 'read', String(pieceBytes), String(at)], {
    cwd: '/',
    timeoutMs: pieceLimitMs,
    maxOutputBytes: 2 * pieceBytes,
    ...(signal === undefined ? {} : { signal }),
  })
  if (read.ended !== 'exited' || read.code !== 0) throw explain(read)
  return Buffer.from(read.stdout, 'base64')
}

function explain(done: ExecResult): GitError {
  if (done.ended === 'exited' && done.code === 94) {
    return new GitError('history_rewritten', 'The run rewrote the history it started from.', {
      hint: 'A result must be commits on top of its base; rebase, amend and reset of older commits are refused.',
      stderr: done.stderr,
    })
  }
  if (done.ended === 'aborted')
    return new GitError('git_aborted', 'Taking the result out was stopped on request.')
  if (done.ended !== 'exited')
    return failed(`the wall ended it (${done.ended.replace('_', ' ')})`, done.stderr)
  const why = failures[done.code ?? -1] ?? `git in the wall ended with code ${done.code}`
  return failed(`${why}: ${lastLine(done.stderr)}`, done.stderr)
}

function failed(why: string, stderr = ''): GitError {
  return new GitError('carry_out_failed', `The result could not be taken out of the wall: ${why}.`, {
    hint: 'The work in this workspace is lost; the next run starts from the base again.',
    stderr,
  })
}

function tooLarge(bytes: number): GitError {
  const size = `${Math.ceil(bytes / 1024 / 1024)} MiB`
  return new GitError(
    'carry_out_failed',
    `The result is too large to be taken out of the wall: ${size} of at most 256.`,
    {
      hint: 'Put build output and data into .gitignore.',
    },
  )
}
