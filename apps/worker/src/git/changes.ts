import type { Changed } from '@muster/agent/verify/report'
import type { Git, GitOptions } from './git.ts'

export type ChangesOptions = {
  mirror: string
  base: string
  commit: string
  signal?: AbortSignal | undefined
}

/** What a page can show and a person can read; the branch itself has the rest. */
const diffLimitBytes = 1024 * 1024
/** Two lines for each file, so some thousands of files. */
const headLimitBytes = 1024 * 1024

/** Run in the bare mirror, where no work tree's attributes or filters exist; the flags also rule out configured ones. */
const safely = ['--no-ext-diff', '--no-textconv', '--no-color']

export async function readChanges(git: Git, options: ChangesOptions) {
  return (await readAtOnce(git, options)) ?? readOneByOne(git, options)
}

/**
 * The numbers are those without renames, where a moved file counts as one gone and one new; the text shows renames. So
 * one git can say both only where it found none, which is nearly always.
 */
async function readAtOnce(git: Git, options: ChangesOptions) {
  const chunks: Buffer[] = []
  await diff(git, options, ['--raw', '--numstat', '--patch', '--find-renames'], {
    maxOutputBytes: headLimitBytes + diffLimitBytes,
    mayCut: true,
    onStdout: (chunk) => chunks.push(chunk),
  })
  const printed = Buffer.concat(chunks)
  const end = printed.length === 0 ? 0 : printed.indexOf('\n\n')
  if (end < 0 || end > headLimitBytes - 2) return undefined
  const head = printed.toString('utf8', 0, end)
  if (/^:.* [RC]\d+\t/m.test(head)) return undefined
  const text = printed.subarray(end + 2)
  const kept = text.subarray(0, diffLimitBytes)
  return {
    changed: countChanges(head),
    diff: cutDiff({ stdout: kept.toString('utf8'), cut: kept.length < text.length }),
  }
}

async function readOneByOne(git: Git, options: ChangesOptions) {
  const [counted, printed] = await Promise.all([
    diff(git, options, ['--numstat', '--no-renames']),
    diff(git, options, ['--find-renames'], { maxOutputBytes: diffLimitBytes, mayCut: true }),
  ])
  return { changed: countChanges(counted.stdout), diff: cutDiff(printed) }
}

function diff(
  git: Git,
  { mirror, base, commit, signal }: ChangesOptions,
  what: string[],
  limits: Pick<GitOptions, 'maxOutputBytes' | 'mayCut' | 'onStdout'> = {},
) {
  const step = { cwd: mirror, timeoutMs: 60_000, signal, ...limits }
  return git.run(['diff', ...safely, ...what, base, commit, '--'], step)
}

/** A binary file counts as a file without lines. A name with a line break in it is quoted, and takes one line like all. */
export function countChanges(numstat: string): Changed {
  const changed = { files: 0, insertions: 0, deletions: 0 }
  for (const record of numstat.split('\n')) {
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
