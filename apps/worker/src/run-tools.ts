import type { RunPhase } from '@muster/contract/task-states'
import type { SandboxDriver } from '@muster/sandbox/sandbox'
import type { Git } from './git/git.ts'
import type { Mirrors } from './git/mirror.ts'
import type { Publisher } from './git/publish.ts'
import type { OutputStream } from './output-stream.ts'

/** What every run of a worker shares. */
export type RunTools = {
  git: Git
  mirrors: Mirrors
  publisher: Publisher
  driver: SandboxDriver
  runsDir: string
}

/** What a run tells the hub while it goes. */
export type RunReports = {
  phase(phase: RunPhase): void
  output: OutputStream
  progress(text: string, percent: number | null): void
  /** Resolves when the hub has granted this epoch the right to put the commit on the branch. */
  publish(branch: string, commit: string): Promise<void>
}

export const author = { name: 'Muster shell agent', email: 'shell@muster.invalid' }
