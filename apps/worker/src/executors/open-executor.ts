import type { Assignment } from '@muster/contract/wire'
import { CannotRun } from '../prepare.ts'
import type { RunReports } from '../run-tools.ts'
import type { Executor } from './executor.ts'
import { createShell } from './shell.ts'

/** Who does the work of an assignment. */
export function openExecutor(assignment: Assignment, reports: RunReports): Executor {
  const { loop, command, timeoutMs } = assignment
  if (loop !== null) throw new CannotRun('model_unavailable', 'This worker has no model.')
  return createShell({ command, output: reports.output, timeoutMs })
}
