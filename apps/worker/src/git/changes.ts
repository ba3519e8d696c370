import type { Changed } from '@muster/agent/verify/report'
import type { Git } from './git.ts'

export type ChangesOptions = {
  mirror: string
  base: string
  commit: string
  signal?: AbortSignal | undefined
}

/** What a page can show and a person can read; the branch itself has the rest. */
const diffLimitBytes = 1024 * 1024

/** Run in the bare mirror, where no work tree's attributes or filters exist; the flags also rule out configured ones. */
const safely = ['--no-ext-diff', '--no-textconv', '--no-color']

export async function readChanges(git: Git, { mirror, base, commit, signal }: ChangesOptions) {
  const step = { cwd: mirror, timeoutMs: 60_000, signal }
  const [counted, printed] = await Promise.all([
    git.run(['diff', ...safely, '--numstat', '-z', '--no-renames', base, commit, '--'], step),
    git.run(['diff', ...safely, '--find-renames', base, commit, '--'], {
      ...step,
      maxOutputBytes: diffLimitBytes,
      mayCut: true,
    }),
  ])
  return { changed: countChanges(counted.stdout), diff: cutDiff(printed) }
}

/** A binary file counts as a file without lines. */
export function countChanges(numstat: string): Changed {
  const changed = { files: 0, insertions: 0, deletions: 0 }
  for (const record of numstat.split('\0')) {
    const [, added, deleted] = /^(\d+|-)\t(\d+|-)\t/.exec(record) ?? []
    if (added === undefined || deleted === undefined) continue
    changed.files += 1
    changed.insertions += added === '-' ? 0 : Number(added)
    changed.deletions += deleted === '-' ? 0 : Number(deleted)
  }
  return changed
}

function cutDiff({ stdout, cut }: { stdout: string; cut: boolean }): { text: string; cut: boolean } {
  if (!cut) return { text: stdout, cut }
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1)
  return { text: `${whole}[… the rest of the diff is left out: it is longer than 1 MiB …]\n`, cut }
}
