import { correctivePrompt } from '@muster/agent/loop/corrective'
import { runLoop, type LoopCheckpoint, type LoopEnd } from '@muster/agent/loop/loop'
import { begin, goOn, tryAgain, type Progress } from '@muster/agent/loop/progress'
import { limitsFor } from '@muster/agent/loop/tiers'
import type { Checkpoint as Files } from '@muster/agent/tools/checkpoint'
import type { Checkpoint, LoopWork } from '@muster/contract/loop'
import type { Assignment } from '@muster/contract/wire'
import type { Model } from '@muster/llm/model'
import { CannotRun } from '../prepare.ts'
import type { RunReports } from '../run-tools.ts'
import { Parked, type Executor, type Worked } from './executor.ts'
import { openToolbox, unstageIn } from './open-toolbox.ts'
import { stepReport, workspaceOf } from './step-report.ts'
import { orderOf, systemPromptFor } from './loop-prompt.ts'

// Of the time there is, so that what was made can still be carried out and checked when the loop stops at its limit.
const shareOfTime = 0.8
// A provider that says "later" without a time is asked again after this long.
const quotaWithoutTimeMs = 5 * 60_000

type Deps = {
  assignment: Assignment
  work: LoopWork
  model: Model
  reports: RunReports
  /** Where an earlier run of this line of work stopped. */
  checkpoint: Checkpoint | null
}

/**
 * Lets a model work with tools in the wall, until it says that it is finished or a guard ends it. Each step is recorded
 * by the hub, with the files as they are then, before the next one begins; after failed checks the model is told what
 * failed and goes on in the same conversation.
 */
export function createLoop({ assignment, work, model, reports, checkpoint }: Deps): Executor {
  const { output } = reports
  let progress: Progress | null = checkpoint === null ? null : goOn(checkpoint.messages, checkpoint.state)
  let isFresh = true

  return {
    async work(wall, stage): Promise<Worked> {
      if (isFresh && checkpoint?.workspace?.bundle != null) await unstageIn(wall, stage)
      isFresh = false
      progress ??= begin(await systemPromptFor(wall, assignment, stage), orderOf(assignment, work))
      output.say(`${model.name} (${model.provider}, ${work.model.endpoint}) works on it`)
      const toolbox = await openToolbox(wall, stage)
      try {
        const end = await runLoop({
          model,
          toolbox,
          progress,
          limits: limitsFor(work.tier, {
            wallMs: progress.state.elapsedMs + Math.max(1_000, stage.left() * shareOfTime),
            microUsd: work.budgetMicroUsd ?? undefined,
          }),
          budget: { costOf: () => 0 },
          on: {
            delta: ({ channel, text }) => reports.delta(channel, text),
            checkpoint: (said) =>
              record(said, () => toolbox.checkpoint(stage.base, stage.signal), stage.base),
          },
          signal: stage.signal,
        })
        progress = { messages: end.messages, state: end.state }
        return ended(end)
      } finally {
        await toolbox.close()
      }
    },

    tryAgain(report) {
      const fixes = progress?.state.fixes ?? 0
      if (progress === null || fixes >= work.fixes) return Promise.resolve(false)
      const attempt = fixes + 2
      output.say(`The checks did not pass; attempt ${attempt} of ${work.fixes + 1} begins`)
      progress = tryAgain(progress, correctivePrompt({ report, attempt, of: work.fixes + 1 }))
      return Promise.resolve(true)
    },
  }

  /** Answers whether the files really are different, which the loop cannot see of a command. */
  async function record(
    said: LoopCheckpoint,
    filesNow: () => Promise<Files>,
    base: string,
  ): Promise<{ changed: boolean }> {
    const files = said.changed ? await filesNow() : null
    await reports.step(stepReport(said, files === null ? null : workspaceOf(base, files)))
    const { step } = said
    if (step.kind === 'tool') output.say(`${step.tool} ${step.args} → ${step.result}`)
    else if (step.text !== '') output.say(step.text)
    return { changed: files?.changed ?? false }
  }

  function ended(end: LoopEnd): Worked {
    if (end.kind === 'final_answer') return { exitCode: null, end: null }
    if (end.kind === 'limit') {
      output.say(end.reason)
      return { exitCode: null, end: null, limit: { ending: end.ending, reason: end.reason } }
    }
    if (end.kind === 'stopped') throw new Error('the run was stopped')
    output.say(end.reason)
    return afterModelFailed(end)
  }
}

/** What becomes of a run whose model does not answer. Its steps are recorded, so another endpoint can go on. */
function afterModelFailed({ failure, reason }: Extract<LoopEnd, { kind: 'model_failed' }>): Worked {
  switch (failure.class) {
    case 'quota': {
      const delayMs =
        failure.resetAt === undefined ? quotaWithoutTimeMs : failure.resetAt.getTime() - Date.now()
      throw new Parked(Math.min(Math.max(delayMs, 1_000), 8 * 86_400_000), `The quota is used up. ${reason}`)
    }
    case 'unavailable':
    case 'busy':
    case 'cut_off':
      throw new CannotRun('model_unavailable', reason)
    case 'invalid_request':
      return { exitCode: null, end: null, limit: { ending: 'execution_failed', reason } }
    case 'refused':
      return { exitCode: null, end: null, limit: { ending: 'refused', reason } }
    case 'aborted':
      throw new Error('the run was stopped')
  }
}
