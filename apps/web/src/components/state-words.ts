import type { Ending, RunPhase, TaskState } from '@muster/contract/task-states'

export type Tone = 'ok' | 'bad' | 'warn' | 'busy' | 'quiet'

export const stateWords: Record<TaskState, { word: string; tone: Tone; means: string }> = {
  draft: { word: 'Draft', tone: 'quiet', means: 'not handed in yet' },
  queued: { word: 'Queued', tone: 'quiet', means: 'waits for a free worker' },
  waiting: { word: 'Waiting', tone: 'warn', means: 'waits for something else first' },
  assigned: { word: 'Assigned', tone: 'busy', means: 'given to a worker' },
  running: { word: 'Running', tone: 'busy', means: 'a worker is at it' },
  verifying: { word: 'Verifying', tone: 'busy', means: 'the checks are being run' },
  review: { word: 'Review', tone: 'warn', means: 'waits for a person' },
  done: { word: 'Done', tone: 'ok', means: 'proven by its checks' },
  dead: { word: 'Dead', tone: 'bad', means: 'ended without proof' },
  cancelled: { word: 'Cancelled', tone: 'quiet', means: 'stopped by a person' },
}

export const endingWords: Record<Ending, string> = {
  verified: 'Verified',
  partial_pass: 'Partial pass',
  execution_failed: 'Execution failed',
  timed_out: 'Timed out',
  budget_exhausted: 'Budget exhausted',
  stalled: 'Stalled',
  repeated: 'Repeated itself',
  cancelled: 'Cancelled',
  lost: 'Worker lost',
  refused: 'Refused',
}

export const phaseWords: Record<RunPhase, string> = {
  preparing: 'Preparing',
  running: 'Running',
  carrying_out: 'Carrying out',
  verifying: 'Verifying',
  publishing: 'Publishing',
}

export const toneText: Record<Tone, string> = {
  ok: 'text-ok',
  bad: 'text-bad',
  warn: 'text-warn',
  busy: 'text-busy',
  quiet: 'text-muted',
}

export const toneSurface: Record<Tone, string> = {
  ok: 'bg-ok-soft text-ok',
  bad: 'bg-bad-soft text-bad',
  warn: 'bg-warn-soft text-warn',
  busy: 'bg-busy-soft text-busy',
  quiet: 'bg-quiet-soft text-muted',
}
