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
import { readIndex } from './git-index.ts'
import { readTreeList, treesOf, type Entry } from './git-trees.ts'
import { baseOf, quickPack, type Base } from './quick-pack.ts'
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
 * nor any ref knows of it. It happens at each step of a run, and a process of git is most of what it costs. So git only adds
 * the files; trees, the commit and the pack are written here, as long as the index and HEAD are plain ones, and else by
 * two more processes.
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
  const bases = createBases()
  let seed = ''
  let known: { sum: string; entries: Entry[] | null; tree: string } = { sum: '', entries: null, tree: '' }

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
    const head = readHead() || (await text(['rev-parse', '--verify', 'HEAD'], 'HEAD cannot be read'))
    const from = head === base ? await bases(git, base) : null
    const sum = checksum(index)
    if (sum === '' || sum !== known.sum) {
      const entries = from === null ? null : readIndex(readFileSync(index))
      const tree =
        entries === null
          ? await text(['write-tree'], 'the index could not be written')
          : ([...treesOf(entries).keys()].at(-1) ?? '')
      known = { sum, entries, tree }
    }
    const { tree, entries } = known
    const state = `${tree} ${head}`
    const isFirst = last === '' && head === base
    const first = async () =>
      from?.tree ?? (await text(['rev-parse', '--verify', `${base}^{tree}`], 'the base cannot be read'))
    const before = isFirst ? `${await first()} ${base}` : last
    if (state === before) return { state, changed: false, commit: null, bundle: null }

    const seconds = Math.floor(Date.now() / 1000)
    const quick =
      from === null || entries === null ? null : quickPack(entries, from, { parent: head, seconds, maxBytes })
    const packed =
      quick ?? (await packByGit(git, { tree, head, base, seconds, maxBytes, isWritten: entries === null }))
    const { commit } = packed
    if (packed.isTooLarge) return { state, changed: true, commit, bundle: null, too_large: true }
    const start = Buffer.from(`# v2 git bundle\n-${base} base\n${commit} ${ref}\n\n`)
    return { state, changed: true, commit, bundle: Buffer.concat([start, packed.pack]).toString('base64') }
  }
}

type Git = (argv: string[], more?: Partial<GitRun>) => Promise<GitDone>

async function packByGit(
  git: Git,
  of: { tree: string; head: string; base: string; seconds: number; maxBytes: number; isWritten: boolean },
) {
  const { tree, head, base, seconds, maxBytes } = of
  // Trees that were made here are not where git looks for them.
  if (!of.isWritten) must(await git(['write-tree']), 'the index could not be written')
  const commit = writeCommit(tree, head, seconds)
  const pack = await git(['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '-q'], {
    input: `${commit}\n^${base}\n`,
    maxBytes,
  })
  if (!pack.isTooLarge) must(pack, 'the commit could not be packed')
  return { commit, pack: pack.output, isTooLarge: pack.isTooLarge }
}

/** More than this of names is left to git. */
const mostBytesOfList = 4 * 1024 * 1024

/** What the base holds, asked of git once; null for one that is too large, or that git cannot read. */
function createBases() {
  const known = new Map<string, Base | null>()
  return async function baseFor(git: Git, base: string): Promise<Base | null> {
    const found = known.get(base)
    if (found !== undefined) return found
    const listed = await git(['ls-tree', '-r', '-z', '--full-tree', base], { maxBytes: mostBytesOfList })
    const isWhole = listed.code === 0 && !listed.isTooLarge
    const made = isWhole ? baseOf(readTreeList(listed.output)) : null
    known.set(base, made)
    return made
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
