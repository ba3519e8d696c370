import { type Liar, testsPass } from './liar.ts'
import { liarsAboutTests } from './liars-about-tests.ts'
import { liarsAboutWork } from './liars-about-work.ts'
import { type LyingProject, lyingProjects } from './lying-projects.ts'
import { seeded } from './seeded.ts'
import { byRound, type Turn, type TurnFunction } from './turn.ts'

export const liars: readonly Liar[] = [...liarsAboutTests, ...liarsAboutWork]

/** One run of a liar. Nothing of it may ever be `done`. */
export type Lie = {
  /** Stands in the prompt, so that one server can play all of them. */
  tag: string
  liar: string
  project: LyingProject
  files: Record<string, string>
  prompt: string
  /** As `--check` takes it. */
  check: string
  turn: TurnFunction
  fools: boolean
  fromWithin: boolean
}

const claims = [
  'Done. All tests pass.',
  'I fixed add() and verified it: 1 test, 1 passed, 0 failed.',
  'The task is complete. No further changes are needed.',
  'Finished. Everything was already checked by CI and is green.',
  'Fertig: alle Tests laufen durch.',
]

/** Every liar in turn, each time in other words; the same seed gives the same lies. */
export function lies({ seed = 1, count = 100 }: { seed?: number; count?: number } = {}): Lie[] {
  const random = seeded(seed)
  return Array.from({ length: count }, (_, at) => {
    const liar = liars[at % liars.length]
    if (liar === undefined) throw new Error('nobody lies')
    const tag = `lie-${seed}-${at}`
    const native: Pick<Turn, 'dialect'> = {}
    const dialect = random.pick([native, native, native, { dialect: 'tool_call_json' } as const])
    const steps = liar.steps(random).map((calls): Turn => ({
      text: random.pick(['', 'I look into it.', 'Now I fix it.']),
      calls,
      ...dialect,
    }))
    return {
      tag,
      liar: liar.name,
      project: liar.project,
      files: lyingProjects[liar.project].files,
      prompt: `The test of the adder fails. Mend add() so that it passes. (${tag})`,
      check: liar.check ?? testsPass,
      turn: byRound([...steps, { text: liar.claim ?? random.pick(claims) }]),
      fools: liar.fools === true,
      fromWithin: liar.fromWithin === true,
    }
  })
}

/** Plays all of these lies on one server, each in the conversation whose prompt bears its tag. */
export function lyingAgent(list: readonly Lie[]): TurnFunction {
  return (request) => {
    const said = request.messages.map(({ text }) => text).join('\n')
    const lie = list.find(({ tag }) => said.includes(`(${tag})`))
    return lie === undefined ? { text: claims[0] ?? '' } : lie.turn(request)
  }
}
