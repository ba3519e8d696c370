import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runGit, type GitDone, type GitRun } from './git-process.ts'
import { Refusal } from './refusal.ts'
import { writeCommit } from './write-commit.ts'

export type Checkpoint = {
  /** The commit the run started from, which the bundle builds on. */
  base: string
  /** The state that the last one answered, '' for none: the same again is no change. */
  last: string
  maxBytes: number
  timeoutMs: number
}

const ref = 'refs/muster/checkpoint'

/**
 * All that the workspace holds as a commit on top of HEAD, in an index of its own: neither the agent's index nor its HEAD
 * nor any ref knows of it. Three processes of git, one when nothing changed: it happens at each step of a run, and a
 * process is most of what it costs. The commit and the head of the bundle are written here, which needs no ref for them.
 */
export function createCheckpoints(env: GitRun['env']) {
  const index = join(mkdtempSync(join(tmpdir(), 'muster-index-')), 'index')
  const gitEnv = {
    ...env,
    GIT_INDEX_FILE: index,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C.UTF-8',
  }
  let seed = ''
  let known = { sum: '', tree: '' }

  return async function checkpoint({ base, last, maxBytes, timeoutMs }: Checkpoint) {
    const git = (argv: string[], more: Partial<GitRun> = {}) =>
      runGit(argv, { env: gitEnv, timeoutMs, ...more })
    const text = async (argv: string[], what: string) =>
      must(await git(argv), what)
        .output.toString()
        .trim()

    rmSync(`${index}.lock`, { force: true })
    seed = takeIndex(index, seed)
    await addAll(git, index, seed !== '')
    const sum = checksum(index)
    if (sum === '' || sum !== known.sum)
      known = { sum, tree: await text(['write-tree'], 'the index could not be written') }
    const { tree } = known
    const head = readHead() || (await text(['rev-parse', '--verify', 'HEAD'], 'HEAD cannot be read'))
    const state = `${tree} ${head}`
    const isFirst = last === '' && head === base
    const before = isFirst
      ? `${await text(['rev-parse', '--verify', `${base}^{tree}`], 'the base cannot be read')} ${base}`
      : last
    if (state === before) return { state, changed: false, commit: null, bundle: null }

    const commit = writeCommit(tree, head, Math.floor(Date.now() / 1000))
    const pack = await git(['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '-q'], {
      input: `${commit}\n^${base}\n`,
      maxBytes,
    })
    if (pack.isTooLarge) return { state, changed: true, commit, bundle: null, too_large: true }
    must(pack, 'the commit could not be packed')
    const start = Buffer.from(`# v2 git bundle\n-${base} base\n${commit} ${ref}\n\n`)
    return { state, changed: true, commit, bundle: Buffer.concat([start, pack.output]).toString('base64') }
  }
}

function must(done: GitDone, what: string): GitDone {
  if (done.code === 0) return done
  throw new Refusal('CHECKPOINT_FAILED', `${what}${done.code === null ? ' in time' : ''}: ${done.said}`)
}

/** An index that git cannot read, whoever wrote it, is made anew from the last commit. */
async function addAll(
  git: (argv: string[]) => Promise<GitDone>,
  index: string,
  isSeeded: boolean,
): Promise<void> {
  const what = 'the changed files could not be added'
  if (isSeeded) {
    const done = await git(['add', '--all'])
    if (done.code === 0 || done.code === null) return void must(done, what)
  }
  rmSync(index, { force: true })
  must(await git(['read-tree', 'HEAD']), 'the last commit could not be read')
  must(await git(['add', '--all']), what)
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

/** The last bytes of an index are the hash of the others: the same again is the same tree. Empty: not to be relied on. */
function checksum(index: string): string {
  const fd = openSync(index, 'r')
  try {
    const sum = Buffer.alloc(20)
    readSync(fd, sum, 0, 20, Math.max(0, fstatSync(fd).size - 20))
    return sum.every((byte) => byte === 0) ? '' : sum.toString('hex')
  } finally {
    closeSync(fd)
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
