import { nameOf, type GitObject } from './git-objects.ts'

/** A file of a commit. The path byte by byte (latin1), so that it sorts as git does and comes back as it was. */
export type Entry = { path: string; mode: string; id: string }

type Tree = { files: Entry[]; folders: Map<string, Tree> }

/** Every tree of a commit by its name; the last is the root. */
export function treesOf(entries: readonly Entry[]): Map<string, GitObject> {
  const root: Tree = { files: [], folders: new Map() }
  for (const entry of entries) {
    const names = entry.path.split('/')
    const name = names.pop() ?? ''
    let folder = root
    for (const each of names) {
      let next = folder.folders.get(each)
      if (next === undefined) folder.folders.set(each, (next = { files: [], folders: new Map() }))
      folder = next
    }
    folder.files.push({ ...entry, path: name })
  }
  const made = new Map<string, GitObject>()
  write(root, made)
  return made
}

function write({ files, folders }: Tree, made: Map<string, GitObject>): string {
  const lines = files.map(({ path, mode, id }) => ({ order: path, path, mode, id }))
  // A folder is sorted as if its name ended with a slash.
  for (const [path, folder] of folders)
    lines.push({ order: `${path}/`, path, mode: '40000', id: write(folder, made) })
  lines.sort((a, b) => (a.order < b.order ? -1 : 1))
  const body = Buffer.concat(
    lines.flatMap(({ path, mode, id }) => [
      Buffer.from(`${mode} ${path}\0`, 'latin1'),
      Buffer.from(id, 'hex'),
    ]),
  )
  const tree: GitObject = { type: 'tree', body }
  const name = nameOf(tree)
  made.delete(name)
  made.set(name, tree)
  return name
}

/** What `git ls-tree -r -z` prints. */
export function readTreeList(output: Buffer): Entry[] {
  return output
    .toString('latin1')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [mode = '', , id = ''] = line.slice(0, line.indexOf('\t')).split(' ')
      return { path: line.slice(line.indexOf('\t') + 1), mode, id }
    })
}
