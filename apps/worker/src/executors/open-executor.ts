import type { LoopWork } from '@muster/contract/loop'
import type { Assignment } from '@muster/contract/wire'
import type { Model } from '@muster/llm/model'
import { createModel } from '@muster/llm/providers/create-model'
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
  /** Where this worker reaches its hub. */
  hub: string,
): Promise<{ executor: Executor; left: Left | null }> {
  const { loop: work, command, deadlineMs } = assignment
  if (work === null) {
    return { executor: createShell({ command, output: reports.output, deadlineMs }), left: null }
  }
  const checkpoint = work.resumeSteps === 0 ? null : await reports.resume()
  const model = modelFor(work, hub)
  if (checkpoint !== null) reports.output.say(`Goes on behind step ${checkpoint.steps} of an earlier run`)
  return {
    executor: createLoop({ assignment, work, model, reports, checkpoint }),
    left: checkpoint?.workspace ?? null,
  }
}

function modelFor({ model, practice, gatewayToken }: LoopWork, hub: string): Model {
  const { provider, name, contextTokens, url, via } = model
  if (provider === 'practice') {
    const read = readPracticeScript(practice ?? '')
    if ('problem' in read) throw new CannotRun('practice_script_invalid', read.problem)
    return createPracticeModel(read.script)
  }
  if (url === null) throw new CannotRun('model_unavailable', `There is no address to ask ${name} at.`)
  const key = gatewayToken === null ? {} : { apiKey: gatewayToken }
  const baseUrl = via === 'gateway' ? new URL(url, hub).href : url
  return createModel({ provider, name, baseUrl, contextTokens, ...key })
}
