import type { Check } from './check.ts'
import { judgesIn } from './command-words.ts'
import { matchesGlob } from './glob.ts'
import { manifestKeys, protectedCommands } from './manifest.ts'
import { hiddenBy, proofPart, type ProofPart, type TreeEntry } from './proof-files.ts'

export type ProofPlan = {
  restore: { path: string; from: 'base'; why: string }[]
  remove: { path: string; why: string }[]
  merge: { path: string; keys: string[]; why: string }[]
}

export type PlanInput = {
  base: readonly TreeEntry[]
  commit: readonly TreeEntry[]
  checks: readonly Check[]
  /** Globs of files that the task allows the run to change although they define the proof. */
  mayChange: readonly string[]
  /** The text of files of the base that hold commands, as far as they are there: package.json, a Makefile. */
  baseTexts?: Readonly<Record<string, string>> | undefined
}

const link = '120000'
const submodule = '160000'

/**
 * Which files the proof takes from the base, so that a run is not judged by what it wrote itself.
 *
 * What must stay true: every file of the base that defines the proof and is not the same in the commit, path, mode and
 * content, is restored or merged, or exempted by `mayChange`. Removals are done before restorations; they also clear
 * what stands in the way of one: a link or a file where the base has a folder, a folder where it has a file.
 */
export function planProof({ base, commit, checks, mayChange, baseTexts = {} }: PlanInput): ProofPlan {
  const before = new Map(base.map((entry) => [entry.path, entry]))
  const after = new Map(commit.map((entry) => [entry.path, entry]))
  const isFree = (path: string) => mayChange.some((glob) => matchesGlob(path, glob))
  const part = roles(commandsOf(checks, baseTexts), before)
  const plan: ProofPlan = { restore: [], remove: [], merge: [] }

  for (const entry of base) {
    const role = part(entry.path)
    const now = after.get(entry.path)
    if (role === null || isFree(entry.path) || isSame(entry, now)) continue
    if (role.role === 'manifest' && isRegular(entry) && isRegular(now)) {
      plan.merge.push({
        path: entry.path,
        keys: manifestKeys,
        why: `${role.why}: those keys come from the base`,
      })
    } else {
      plan.restore.push({
        path: entry.path,
        from: 'base',
        why: `${role.why}, ${howChanged(entry, now)} by the run`,
      })
    }
  }

  const hasProof = base.some((entry) =>
    ['test', 'manifest', 'build', 'runner'].includes(proofPart(entry.path)?.role ?? ''),
  )
  for (const { path } of commit) {
    if (before.has(path) || isFree(path)) continue
    const why = refuseAdded(path, { hasProof, inBase: (other) => before.has(other) })
    if (why !== null) plan.remove.push({ path, why })
  }
  plan.remove.push(...inTheWay(plan, after))
  return plan
}

/** The files of the base that the checks must find as the plan leaves them, whatever earlier checks do. */
export function proofPaths({ base, checks, mayChange, baseTexts = {} }: Omit<PlanInput, 'commit'>): string[] {
  const part = roles(commandsOf(checks, baseTexts), new Map(base.map((entry) => [entry.path, entry])))
  const isFree = (path: string) => mayChange.some((glob) => matchesGlob(path, glob))
  return base
    .filter((entry) => isRegular(entry) && part(entry.path) !== null && !isFree(entry.path))
    .map((entry) => entry.path)
}

function commandsOf(checks: readonly Check[], baseTexts: Readonly<Record<string, string>>): string[] {
  const named = checks.filter((check) => check.kind === 'command_succeeds' || check.kind === 'test_passes')
  return [
    ...named.map((check) => check.target),
    ...Object.entries(baseTexts).flatMap(([path, text]) =>
      path === 'package.json'
        ? protectedCommands(
            text,
            named.map((check) => check.target),
          )
        : recipes(text),
    ),
  ]
}

/** The recipe lines of a Makefile, without make's own prefixes. */
function recipes(makefile: string): string[] {
  return makefile.split('\n').flatMap((line) => /^\t[@+-]*\s*(.+)$/.exec(line)?.[1] ?? [])
}

function roles(
  commands: readonly string[],
  before: ReadonlyMap<string, TreeEntry>,
): (path: string) => ProofPart | null {
  const judges = new Set(commands.flatMap((command) => judgesIn(command, (path) => before.has(path))))
  return (path) => proofPart(path) ?? (judges.has(path) ? { role: 'test', why: 'a check runs it' } : null)
}

function refuseAdded(
  path: string,
  { hasProof, inBase }: { hasProof: boolean; inBase: (path: string) => boolean },
): string | null {
  const part = proofPart(path)
  if (part === null) return null
  const hidden = hiddenBy(path, inBase)
  if (hidden !== undefined) return `added by the run, and read instead of ${hidden}`
  // A repository without any test or build file has no proof to protect; there a run may bring its own runner.
  const decides = part.role === 'hijack' || ((part.role === 'runner' || part.role === 'ci') && hasProof)
  return decides ? `added by the run: ${part.why}` : null
}

/** Paths of the commit that a restored path cannot exist beside. */
function inTheWay(plan: ProofPlan, after: ReadonlyMap<string, TreeEntry>): ProofPlan['remove'] {
  const folders = new Set([...after.keys()].flatMap((path) => parents(path)))
  const planned = new Set(plan.remove.map(({ path }) => path))
  const found = new Map<string, string>()
  for (const { path } of plan.restore) {
    if (folders.has(path)) found.set(path, `a folder where the base has the file ${path}`)
    for (const parent of parents(path)) {
      const entry = after.get(parent)
      if (entry !== undefined) found.set(parent, `${kindOf(entry)} where the base has the folder ${parent}`)
    }
  }
  return [...found].filter(([path]) => !planned.has(path)).map(([path, why]) => ({ path, why }))
}

function parents(path: string): string[] {
  const segments = path.split('/')
  return segments.slice(1).map((_, at) => segments.slice(0, at + 1).join('/'))
}

function isSame(entry: TreeEntry, now: TreeEntry | undefined): boolean {
  return now !== undefined && now.mode === entry.mode && now.blob === entry.blob
}

function isRegular(entry: TreeEntry | undefined): boolean {
  return entry !== undefined && entry.mode !== link && entry.mode !== submodule
}

function kindOf({ mode }: TreeEntry): string {
  if (mode === link) return 'a symbolic link'
  return mode === submodule ? 'a submodule' : 'a file'
}

function howChanged(entry: TreeEntry, now: TreeEntry | undefined): string {
  if (now === undefined) return 'deleted'
  if (isRegular(entry) !== isRegular(now)) return `replaced by ${kindOf(now)}`
  return 'changed'
}
