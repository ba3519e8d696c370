import type { TreeEntry } from '@muster/agent/verify/proof-files'
import { GitError } from './git-error.ts'
import type { ReadObject } from './objects.ts'

export type Commit = { tree: string; parents: string[] }

/** Undefined when there is no such commit. */
export async function readCommit(read: ReadObject, oid: string): Promise<Commit | undefined> {
  const found = await read(oid)
  if (found?.type !== 'commit') return undefined
  const [, tree, parents = ''] =
    /^tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)/.exec(found.body.toString('latin1')) ?? []
  if (tree === undefined) return undefined
  return { tree, parents: parents.match(/[0-9a-f]{40}/g) ?? [] }
}

type RawEntry = { mode: string; name: string; oid: string }

/** About 700 000 paths. A tree may name itself over and over at little cost, and would be listed without end. */
const listedBytes = 64 * 1024 * 1024

/**
 * Lists trees with all below them, in git's order, as `git ls-tree -r` does. What is in several places, or in two of
 * the trees, is read once. Names are taken as they are: they may hold spaces, line breaks or a leading dash.
 */
export function createTreeReader(read: ReadObject, limitBytes = listedBytes) {
  const known = new Map<string, RawEntry[]>()

  async function ask(oid: string): Promise<RawEntry[]> {
    const found = await read(oid)
    if (found?.type !== 'tree') throw new GitError('git_failed', `the tree ${oid} is missing`)
    const entries = parseTree(found.body)
    known.set(oid, entries)
    return entries
  }

  return async function readTree(root: string): Promise<TreeEntry[]> {
    for (let level = new Set([root]); level.size > 0;) {
      const asked = await Promise.all([...level].filter((oid) => !known.has(oid)).map(ask))
      level = new Set(asked.flat().flatMap(({ mode, oid }) => (mode === folder ? [oid] : [])))
    }
    return flatten(known, root, limitBytes)
  }
}

const folder = '040000'

function flatten(trees: ReadonlyMap<string, RawEntry[]>, root: string, limitBytes: number): TreeEntry[] {
  const files: TreeEntry[] = []
  let left = limitBytes
  const open = [{ prefix: '', rest: (trees.get(root) ?? []).values() }]
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value: entry } = top.rest.next()
    if (entry === undefined) {
      open.pop()
      continue
    }
    const path = `${top.prefix}${entry.name}`
    left -= path.length + entry.oid.length + entry.mode.length
    if (left < 0) throw new GitError('git_output_too_large', `the tree ${root} has too many files`)
    if (entry.mode === folder) open.push({ prefix: `${path}/`, rest: (trees.get(entry.oid) ?? []).values() })
    else files.push({ path, mode: entry.mode, blob: entry.oid })
  }
  return files
}

/** `<mode> <name>\0` and the twenty bytes of the object, again and again. */
export function parseTree(body: Buffer): RawEntry[] {
  const entries: RawEntry[] = []
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(' ', at)
    const end = body.indexOf(0, space)
    if (space < 0 || end < 0 || end + 20 >= body.length)
      throw new GitError('git_failed', 'a tree is cut short')
    const mode = asGitSays(Number.parseInt(body.toString('latin1', at, space), 8))
    entries.push({
      mode,
      name: body.toString('utf8', space + 1, end),
      oid: body.toString('hex', end + 1, end + 21),
    })
    at = end + 21
  }
  return entries
}

/** Old trees hold other modes, such as 100664, which git itself takes for one of these. */
function asGitSays(mode: number): string {
  const kind = mode & 0o170000
  if (kind === 0o100000) return (mode & 0o100) === 0 ? '100644' : '100755'
  if (kind === 0o120000) return '120000'
  return kind === 0o040000 ? folder : '160000'
}

const commandFiles = new Set(['package.json', 'Makefile', 'makefile', 'GNUmakefile'])
const textLimitBytes = 256 * 1024

/** The files at the root of a commit that hold the commands of its tests, cut where no person wrote that much. */
export async function readTexts(
  read: ReadObject,
  tree: readonly TreeEntry[],
): Promise<Record<string, string>> {
  const files = tree.filter(({ path, mode }) => commandFiles.has(path) && mode.startsWith('100'))
  const texts = files.map(async ({ path, blob }) => {
    const found = await read(blob, textLimitBytes)
    if (found === undefined) throw new GitError('git_failed', `the file ${path} is missing`)
    return [path, found.body.toString('utf8')] as const
  })
  return Object.fromEntries(await Promise.all(texts))
}
