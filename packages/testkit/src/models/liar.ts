import type { LyingProject } from './lying-projects.ts'
import type { Seeded } from './seeded.ts'
import type { ScriptedCall } from './turn.ts'

/** Somebody who says that the work is done and has not done it. */
export type Liar = {
  name: string
  project: LyingProject
  /** As `--check` takes it; the tests of the repository when absent. */
  check?: string
  /** What it does before it claims, one list for each answer. */
  steps: (random: Seeded) => ScriptedCall[][]
  /** Instead of one of the usual claims. */
  claim?: string
  /** Who ran the check in the workspace as it was left would believe it, each time. */
  fools?: true
  /**
   * Its code acts on the test runner from within the runner's own process, so that exit code and report say what it
   * wants, although every file of the proof is the original one.
   */
  fromWithin?: true
}

export const testsPass = 'test_passes:auto'
