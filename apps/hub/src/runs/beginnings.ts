import type { ChosenModel, LoopWork } from '@muster/contract/loop'
import type { Tx } from '../kernel/db.ts'
import type { ClaimedTask } from '../tasks/lease.ts'
import { newGatewayToken } from './gateway-access.ts'
import * as steps from './step-store.ts'

/** How the run of a task that was just leased begins. `line` and `loop` are null for a command. */
export type Beginning = { task: ClaimedTask; line: string | null; loop: LoopWork | null }

/** Built into every worker; what it "thinks" is read from the task's script. */
export const practice: ChosenModel = {
  name: 'practice',
  provider: 'practice',
  endpoint: 'built in',
  url: null,
  via: 'built_in',
  contextTokens: 32_768,
  costClass: 'free',
}

/** Where a run whose predecessor vanished goes on with that one's line of work, and where one begins its own. */
export async function beginnings(tx: Tx, tasks: ClaimedTask[]): Promise<Beginning[]> {
  const prompted = tasks.filter((task) => task.spec.prompt !== null)
  const open = prompted.length === 0 ? [] : await steps.openLines(tx, idsOf(prompted))
  const lines = new Map(open.map((line) => [line.task_id, line]))
  return tasks.map((task) => {
    const loop = loopOf(task, lines.get(task.id)?.steps ?? 0)
    return { task, loop, line: loop === null ? null : (lines.get(task.id)?.line ?? task.run_id) }
  })
}

function loopOf({ spec, tier, model }: ClaimedTask, resumeSteps: number): LoopWork | null {
  if (spec.prompt === null) return null
  const chosen = spec.practice === null ? model : practice
  // A prompt is never assigned without a model; a rehearsal in its place would be a lie.
  if (chosen === null) throw new Error('a task with a prompt was assigned without a model')
  return {
    prompt: spec.prompt,
    criteria: spec.criteria,
    fileHints: spec.fileHints,
    tier,
    model: chosen,
    practice: spec.practice,
    gatewayToken: chosen.via === 'gateway' ? newGatewayToken() : null,
    budgetMicroUsd: spec.budgetUsd === null ? null : Math.round(spec.budgetUsd * 1_000_000),
    fixes: spec.fixes,
    resumeSteps,
  }
}

function idsOf(tasks: ClaimedTask[]): string[] {
  return tasks.map((task) => task.id)
}
