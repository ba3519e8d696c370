import type { Checkpoint } from '@muster/contract/loop'
import type { RunPhase } from '@muster/contract/task-states'
import type { Assignment, WorkerMessage } from '@muster/contract/wire'
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
  /** Where this worker reaches its hub. */
  hub: string
}

export type StepReport = Omit<Extract<WorkerMessage, { type: 'step' }>, 'type' | 'id' | 'taskId' | 'epoch'>

/** What a run tells the hub while it goes. */
export type RunReports = {
  phase(phase: RunPhase): void
  output: OutputStream
  progress(text: string, percent: number | null): void
  /** What the model says at this moment, for whoever watches. */
  delta(channel: 'text' | 'thinking', text: string): void
  /** Resolves when the hub has the step on disk; the next one may begin. */
  step(step: StepReport): Promise<void>
  /** What earlier runs of this line of work recorded; null when the hub has nothing to go on with. */
  resume(): Promise<Checkpoint | null>
  /** Resolves when the hub has granted this epoch the right to put the commit on the branch. */
  publish(branch: string, commit: string): Promise<void>
}

/** Who the commits of a run are by. */
export function authorOf({ agent }: Pick<Assignment, 'agent'>): { name: string; email: string } {
  return { name: `Muster ${agent} agent`, email: `${agent}@muster.invalid` }
}
