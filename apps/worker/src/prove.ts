import { planProof, proofPaths, strayRule } from '@muster/agent/verify/proof-plan'
import { verify } from '@muster/agent/verify/verify'
import type { Report } from '@muster/agent/verify/report'
import type { Assignment } from '@muster/contract/wire'
import { join } from 'node:path'
import { checkout } from './git/checkout.ts'
import type { Mirror } from './git/mirror.ts'
import type { TakenIn } from './git/take-in.ts'
import { authorOf, type RunReports, type RunTools } from './run-tools.ts'
import { openWall } from './wall.ts'

/** The checks, in a second wall, on a clean checkout of exactly the commit that came out of the first. */
export async function prove(
  assignment: Assignment,
  tools: RunTools,
  reports: RunReports,
  stage: {
    dir: string
    mirror: Mirror
    commit: string
    taken: TakenIn
    /** From 1; each has a clean checkout and a wall of its own. */
    round: number
    stop: AbortSignal
  },
): Promise<Report> {
  const { mirror, commit, taken, stop, round } = stage
  const { branch, mayChange, allowEmpty } = assignment
  const checks = assignment.checks.map(({ kind, target, timeoutMs }) => ({
    kind,
    target,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }))
  const name = round === 1 ? 'proof' : `proof-${round}`
  const into = join(stage.dir, name)
  const author = authorOf(assignment)
  const result = { base: mirror.base, packs: taken.packs }
  await checkout({ git: tools.git, mirror: mirror.path, commit, result, branch, into, author, signal: stop })
  const wall = await openWall(tools.driver, { id: `${assignment.runId}-${name}`, workspace: into })
  try {
    const { trees, baseTexts, changed } = taken
    const rules = { base: trees.base, checks, mayChange, baseTexts }
    const plan = planProof({ ...rules, commit: trees.commit })
    return await verify({
      wall,
      checks,
      base: mirror.base,
      commit,
      run: assignment.attempt,
      changed,
      plan,
      sealed: proofPaths(rules),
      stray: strayRule({ ...rules, commit: trees.commit }, plan),
      allowEmpty,
      signal: stop,
      onProgress: (progress) => {
        if (progress.step !== 'checked') return
        const { kind, target, status, ms } = progress.result
        reports.output.say(`check ${kind}${target === '' ? '' : `:${target}`} ${status} (${ms} ms)`)
      },
    })
  } finally {
    await wall.destroy()
  }
}
