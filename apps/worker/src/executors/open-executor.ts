import type { LoopWork } from '@muster/contract/loop'
import type { Assignment } from '@muster/contract/wire'
import type { Model } from '@muster/llm/model'
import { createPracticeModel } from '@muster/llm/practice'
import { readPracticeScript } from '@muster/llm/practice-script'
import type { Left } from '../leftover.ts'
import { CannotRun } from '../prepare.ts'
import type { RunReports } from '../run-tools.ts'
import type { Executor } from './executor.ts'
import { createLoop } from './loop.ts'
import { createShell } from './shell.ts'

/** Who does the work of an assignment, and the files that an earlier run of it left, if it goes on with one. */
export async function openExecutor(
  assignment: Assignment,
  reports: RunReports,
): Promise<{ executor: Executor; left: Left | null }> {
  const { loop: work, command, timeoutMs } = assignment
  if (work === null) {
    return { executor: createShell({ command, output: reports.output, timeoutMs }), left: null }
  }
  const checkpoint = work.resumeSteps === 0 ? null : await reports.resume()
  const model = modelFor(work)
  if (checkpoint !== null) reports.output.say(`Goes on behind step ${checkpoint.steps} of an earlier run`)
  return {
    executor: createLoop({ assignment, work, model, reports, checkpoint }),
    left: checkpoint?.workspace ?? null,
  }
}

function modelFor({ model, practice }: LoopWork): Model {
  const { provider, name } = model
  if (provider !== 'practice') throw new CannotRun('model_unavailable', `This worker cannot ask ${name}.`)
  const read = readPracticeScript(practice ?? '')
  if ('problem' in read) throw new CannotRun('practice_script_invalid', read.problem)
  return createPracticeModel(read.script)
}
