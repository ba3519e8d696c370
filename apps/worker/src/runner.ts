import type { Assignment, RunResult } from '@muster/contract/wire'
import { join } from 'node:path'
import type { Log } from './log.ts'
import { removeTree } from './remove-tree.ts'
import { runTask } from './run-task.ts'
import type { RunReports, RunTools } from './run-tools.ts'
import { withdraw } from './withdraw.ts'

/**
 * The work of a run, apart from its protocol: carry.ts journals, accepts, reports and delivers, whatever the work is.
 * The chaos rig puts another one here, so that hundreds of runs a minute go through the real protocol without walls.
 */
export type Runner = {
  run(assignment: Assignment, reports: RunReports, signal: AbortSignal): Promise<RunResult>
  /** Removes what a run left in the worker's directories. */
  tidy(runId: string): Promise<void>
  /** Takes back what a run published that did not become the end of its task. */
  withdraw(assignment: Assignment): Promise<void>
}

export function createRunner(tools: RunTools, log: Log): Runner {
  return {
    run: (assignment, reports, signal) => runTask(assignment, tools, reports, signal),
    tidy: (runId) => removeTree(join(tools.runsDir, runId)),
    withdraw: (assignment) => withdraw(tools, assignment, log),
  }
}
