import type { LoopCheckpoint } from '@muster/agent/loop/loop'
import type { Checkpoint as Files } from '@muster/agent/tools/checkpoint'
import type { WorkspaceState } from '@muster/contract/loop'
import type { StepReport } from '../run-tools.ts'

/** A step as the wire has it. */
export function stepReport(
  { step, added, state }: LoopCheckpoint,
  workspace: WorkspaceState | null,
): StepReport {
  const { seq, kind, model, provider, tool, args, result, text, success, code, usage, ms } = step
  const failed = kind === 'model' && !success
  return {
    step: { seq, kind, model, provider, tool, args, result, text, success, code, usage, ms },
    messages: added,
    state,
    workspace,
    failure: failed ? { class: code ?? 'unknown', message: result } : null,
  }
}

// The wire takes messages of 4 MiB, and the conversation must fit in beside the files.
const longestBundle = 3_000_000

/**
 * The files after a step; null when they are as before, and when they cannot be carried along, because they are too
 * large: then a run that goes on has those of the last step that could.
 */
export function workspaceOf(base: string, { changed, commit, bundle }: Files): WorkspaceState | null {
  if (!changed || commit === null || bundle === null || bundle.length > longestBundle) return null
  return { base, commit, bundle }
}
