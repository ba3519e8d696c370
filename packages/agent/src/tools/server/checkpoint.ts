import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from './refusal.ts'
import { signalAll } from './run-command.ts'

export type Checkpoint = {
  /** The commit the run started from, which the bundle builds on. */
  base: string
  /** What the last one answered; then nothing new is `unchanged`. */
  last: string
  maxBytes: number
  timeoutMs: number
}

type Environment = Readonly<Record<string, string | undefined>>

const ref = 'refs/muster/checkpoint'

/**
 * All that the workspace holds as a commit on top of HEAD, in an index of its own: neither the agent's index nor its HEAD
 * nor any ref knows of it. The options of git are those of the result's own commit (see the worker's carry-out): nothing
 * the agent configured takes part. As few processes as can be, since each costs 2 to 3 ms and this happens at each step.
 *
 * The bundle is written here and not by git, which would need a ref for it: a head of two lines before the pack.
 */
const script = `
run() {
  git --git-dir=/workspace/.git --work-tree=/workspace -c core.hooksPath=/dev/null -c core.fsmonitor=false \\
    -c core.bare=false -c core.autocrlf=false -c core.splitIndex=false -c core.fsync=none -c commit.gpgSign=false \\
    -c gc.auto=0 -c maintenance.auto=false -c advice.addEmbeddedRepo=false -c core.untrackedCache=false "$@"
}
base=$1 last=$2 head=$3 seeded=$4
cd /workspace || exit 91
[ "$seeded" = 1 ] || run read-tree HEAD || exit 92
run add --all >&2 || exit 92
tree=$(run write-tree) || exit 93
[ -n "$head" ] || head=$(run rev-parse --verify HEAD) || exit 91
if [ -z "$last" ] && [ "$head" = "$base" ]; then last="$(run rev-parse --verify "$base^{tree}") $base" || exit 91; fi
echo "$tree $head"
[ "$tree $head" != "$last" ] || exit 0
commit=$(echo Checkpoint | run commit-tree "$tree" -p "$head") || exit 94
echo "$commit"
printf '%s\\n' "$commit" "^$base" | run pack-objects --revs --thin --stdout --delta-base-offset -q || exit 95
`

const failures: Readonly<Record<number, string>> = {
  91: 'the repository can no longer be read',
  92: 'the changed files could not be added',
  93: 'the index could not be written',
  94: 'the commit could not be made',
  95: 'the commit could not be packed',
}

export function createCheckpoints(env: Environment) {
  const dir = mkdtempSync(join(tmpdir(), 'muster-index-'))
  const index = join(dir, 'index')
  const gitEnv = {
    ...env,
    GIT_INDEX_FILE: index,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_AUTHOR_NAME: 'Muster',
    GIT_AUTHOR_EMAIL: 'checkpoint@muster.invalid',
    GIT_COMMITTER_NAME: 'Muster',
    GIT_COMMITTER_EMAIL: 'checkpoint@muster.invalid',
    LC_ALL: 'C.UTF-8',
  }
  let seed = ''

  return async function checkpoint({ base, last, maxBytes, timeoutMs }: Checkpoint) {
    rmSync(`${index}.lock`, { force: true })
    const before = seed
    seed = takeIndex(index, before)
    const run = (seeded: boolean) =>
      runGit(
        ['-c', script, 'checkpoint', base, last, readHead(), seeded ? '1' : ''],
        gitEnv,
        maxBytes,
        timeoutMs,
      )
    let done = await run(seed !== '')
    // An index that git cannot read, whoever wrote it, is made anew from the last commit.
    if (done.code === 92 && seed !== '') {
      rmSync(index, { force: true })
      done = await run(false)
    }
    const [state = '', commit = ''] = done.lines
    if (done.isTooLarge) return { state, changed: true, commit, bundle: null, too_large: true }
    if (done.code !== 0)
      throw new Refusal(
        'CHECKPOINT_FAILED',
        `${failures[done.code ?? 0] ?? 'it took too long'}: ${done.said}`,
      )
    if (commit === '') return { state, changed: false, commit: null, bundle: null }
    const head = Buffer.from(`# v2 git bundle\n-${base} base\n${commit} ${ref}\n\n`)
    return { state, changed: true, commit, bundle: Buffer.concat([head, done.pack]).toString('base64') }
  }
}

/**
 * The agent's own index, so that git need not read every file again, and what the agent added by force stays added. Taken
 * anew when it changed. Its time must not become younger: git trusts an entry that is older than the index it is in.
 */
function takeIndex(index: string, seed: string): string {
  const own = '/workspace/.git/index'
  try {
    const { mtimeMs, atime, mtime, ino, size } = statSync(own)
    const now = `${ino} ${size} ${mtimeMs}`
    if (now === seed) return seed
    copyFileSync(own, index)
    utimesSync(index, atime, mtime)
    return now
  } catch {
    rmSync(index, { force: true })
    return ''
  }
}

/** Empty: not to be seen without git. */
function readHead(): string {
  try {
    const head = readFileSync('/workspace/.git/HEAD', 'utf8').trim()
    const [, name] = /^ref: (refs\/heads\/[\w./-]+)$/.exec(head) ?? []
    const commit = name === undefined ? head : readFileSync(`/workspace/.git/${name}`, 'utf8').trim()
    return /^[0-9a-f]{40}$/.test(commit) ? commit : ''
  } catch {
    return ''
  }
}

type Done = { code: number | null; lines: string[]; pack: Buffer; said: string; isTooLarge: boolean }

/** Lines of text, then a pack from the letters PACK on. */
function runGit(argv: string[], env: Environment, maxBytes: number, timeoutMs: number): Promise<Done> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', argv, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] })
    const pieces: Buffer[] = []
    let length = 0
    let said = ''
    let isTooLarge = false
    // The shell's children as well: nothing else of the wall is alive while this runs.
    const timer = setTimeout(() => signalAll('SIGKILL'), timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      if (isTooLarge) return
      pieces.push(chunk)
      length += chunk.length
      isTooLarge = length > maxBytes
      if (isTooLarge) signalAll('SIGKILL')
    })
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-500)))
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      const all = Buffer.concat(pieces)
      const at = all.indexOf('PACK')
      const text = all.subarray(0, at === -1 ? all.length : at).toString()
      const pack = at === -1 ? Buffer.alloc(0) : all.subarray(at)
      resolve({ code, lines: text.split('\n').slice(0, 2), pack, said: said.trim(), isTooLarge })
    })
  })
}
