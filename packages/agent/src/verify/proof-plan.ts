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

  const inBase = (path: string) => before.has(path)
  const hasProof = base.some(isProof)
  for (const { path, mode } of commit) {
    if (inBase(path) || isFree(path)) continue
    // A link may stand for a folder, and a tool finds what is in it as if it were one.
    const seen = mode === link ? [path, `${path}/`] : [path]
    const why = firstReason(seen, (each) => refuseAdded(each, { hasProof, inBase }))
    if (why !== null) plan.remove.push({ path, why: `added by the run${why}` })
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

function firstReason(paths: string[], reasonOf: (path: string) => string | null): string | null {
  return paths.map(reasonOf).find((reason) => reason !== null) ?? null
}

function isProof({ path }: TreeEntry): boolean {
  return ['test', 'manifest', 'build', 'runner'].includes(proofPart(path)?.role ?? '')
}

const installed = /(^|\/)(node_modules|site-packages|vendor)\//

/**
 * Why a file that a check made must not be there for the next one; null for what may, which is nearly everything, since
 * a build is often a check. The rule is that for files which the run adds, with two differences: installed packages are
 * what such a check is for, and a runner's configuration in a folder without proof of the base is a copy in a build.
 */
export function strayRule({ base, commit, mayChange }: PlanInput, plan: ProofPlan) {
  const before = new Set(base.map(({ path }) => path))
  const known = new Set([...commit, ...plan.restore].map(({ path }) => path))
  for (const { path } of plan.remove) known.delete(path)
  const proof = base.filter(isProof)
  const judged = new Set(proof.flatMap(({ path }) => ['', ...parents(path)]))
  const inBase = (path: string) => before.has(path)

  /** What ends with a slash is a link, which may stand for a folder. */
  return (path: string): string | null => {
    const file = path.replace(/\/$/, '')
    if (known.has(file) || installed.test(path) || mayChange.some((glob) => matchesGlob(file, glob)))
      return null
    const hasProof = judged.has(file.slice(0, Math.max(file.lastIndexOf('/'), 0)))
    const why = refuseAdded(path, { hasProof, inBase })
    return why === null ? null : `added by a check${why}`
  }
}

function refuseAdded(
  path: string,
  { hasProof, inBase }: { hasProof: boolean; inBase: (path: string) => boolean },
): string | null {
  const part = proofPart(path)
  if (part === null) return null
  const hidden = hiddenBy(path, inBase)
  if (hidden !== undefined) return `, and read instead of ${hidden}`
  // A repository without any test or build file has no proof to protect; there a run may bring its own runner.
  const decides = part.role === 'hijack' || ((part.role === 'runner' || part.role === 'ci') && hasProof)
  return decides ? `: ${part.why}` : null
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
