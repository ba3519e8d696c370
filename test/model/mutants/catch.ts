import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkPrograms, openGround } from '../check.ts'
import type { Ground } from '../program.ts'
import { seed } from '../seeds.ts'
import type { Force, Mutant } from './break.ts'

/** A mutant that as many programs do not catch is not caught. */
const mostPrograms = 60

/** One test for each mutant. What caught it, and after how many programs, is printed at the end. */
export function catchAll(part: string, mutants: Mutant[]): void {
  const undo: (() => Promise<void>)[] = []
  const report: string[] = []
  let ground: Ground
  beforeAll(async () => {
    ground = await openGround((each) => void undo.unshift(each))
  })
  afterAll(async () => {
    for (const each of undo) await each()
    process.stdout.write(
      `\n${report.length} of ${mutants.length} broken variants of ${part} caught\n${report.join('\n')}\n`,
    )
  })
  describe(`the model catches an engine that`, () => {
    test.for(mutants.map((mutant) => [mutant.breaks, mutant] as const))('%s', async ([, mutant]) => {
      const caught = await catchMutant(ground, mutant)
      expect(caught.by).not.toBe('')
      report.push(
        `  ${String(caught.programs).padStart(3)} programs  ${mutant.breaks} (${mutant.invariant}): ${caught.by}`,
      )
    })
  })
}

/** Runs programs against the broken engine until one fails. Throws when none does, or when the change is not what it says. */
async function catchMutant(ground: Ground, mutant: Mutant): Promise<{ programs: number; by: string }> {
  const force: Force = { applied: 0, problems: [], pending: [] }
  const around = mutant.by(force)
  const outcome = await checkPrograms(ground, {
    profile: mutant.profile,
    seed,
    programs: mostPrograms,
    around,
  })
  await Promise.all(force.pending)
  if (force.problems.length > 0)
    throw new Error(`this is no change: ${[...new Set(force.problems)].join('; ')}`)
  const tried = `${outcome.programs} programs`
  if (force.applied === 0)
    throw new Error(`the change never came into force in ${tried}: ${outcome.failure ?? 'no failure'}`)
  if (outcome.failure === undefined)
    throw new Error(`not caught in ${tried}, in force ${force.applied} times`)
  return { programs: outcome.programs, by: outcome.failure.split('\n')[0] ?? '' }
}
