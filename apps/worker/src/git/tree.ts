import type { TreeEntry } from '@muster/agent/verify/proof-files'
import type { Git } from './git.ts'

export type TreeOptions = {
  mirror: string
  commit: string
  signal?: AbortSignal | undefined
  env?: Record<string, string>
}

/** Every file of a commit. Names are taken as they are: they may hold spaces, line breaks or a leading dash. */
export async function readTree(git: Git, { mirror, commit, signal, env }: TreeOptions): Promise<TreeEntry[]> {
  const listed = await git.run(['ls-tree', '-r', '-z', '--full-tree', commit], {
    cwd: mirror,
    timeoutMs: 60_000,
    signal,
    ...(env === undefined ? {} : { env }),
  })
  return parseTree(listed.stdout)
}

export function parseTree(listing: string): TreeEntry[] {
  const entries: TreeEntry[] = []
  for (const record of listing.split('\0')) {
    const tab = record.indexOf('\t')
    const [mode, , blob] = record.slice(0, Math.max(tab, 0)).split(' ')
    if (mode !== undefined && blob !== undefined) entries.push({ path: record.slice(tab + 1), mode, blob })
  }
  return entries
}

const commandFiles = ['package.json', 'Makefile', 'makefile', 'GNUmakefile']
const textLimitBytes = 256 * 1024

/** The files at the root of a commit that hold the commands of its tests, cut where no person wrote that much. */
export async function readTexts(
  git: Git,
  { mirror, commit, signal }: TreeOptions,
): Promise<Record<string, string>> {
  const step = { cwd: mirror, timeoutMs: 60_000, signal, maxOutputBytes: textLimitBytes, mayCut: true }
  const there = await git.run(['ls-tree', '-z', '--full-tree', commit, '--', ...commandFiles], step)
  const texts: Record<string, string> = {}
  for (const { path, mode, blob } of parseTree(there.stdout)) {
    if (mode.startsWith('100')) texts[path] = (await git.run(['cat-file', 'blob', blob], step)).stdout
  }
  return texts
}
