/**
 * What can happen to the engine, by numbers: tasks, runs and workers are named by their place in the program, so that a
 * program reads the same in every replay.
 */
export type Operation =
  | {
      do: 'submit'
      hub: number
      ws: number
      key: string
      lane: number
      after: number[]
      unknown: boolean
      timeoutMs: number
      retries: number
    }
  | { do: 'cancel' | 'retry'; hub: number; ws: number; key: string; task: number }
  | { do: 'dispatch' | 'sweep' | 'presence'; hub: number }
  | { do: 'restart'; hub: number }
  | {
      do: 'hello'
      hub: number
      worker: number
      copy: boolean
      slots: number
      wall: boolean
      holding: Holding[]
    }
  | { do: 'leave'; hub: number; worker: number }
  | { do: 'freeze'; hub: number; worker: number; frozen: boolean }
  | { do: 'say'; hub: number; worker: number; lease: Lease; message: Message }
  | { do: 'renew'; hub: number; worker: number; leases: Lease[] }
  | { do: 'time'; ms: number }
  | { do: 'local clock'; ms: number }
  | { do: 'wear'; task: number; losses: number }

/** One lease as a worker names it; the epoch may be another than its run's, which is a lie. */
export type Lease = { task: number; run: number; epoch: number }
export type Holding = Lease & { phase: 'running' | 'finished' | 'lost' }

export type Message =
  | { type: 'accept' }
  | { type: 'refuse'; code: Refusal }
  | { type: 'wake'; state: 'trying' | 'woken' }
  | { type: 'phase'; phase: 'running' | 'verifying' }
  | { type: 'output'; batch: number }
  | { type: 'progress' }
  | { type: 'publish'; branch: 'proven' | 'kept' | 'foreign'; commit: Commit }
  | { type: 'finish'; as: Finish; commit: Commit }

/** Waited for, counted as a loss at once, counted as a loss and waited for. */
export const refusals = ['sandbox_unavailable', 'run_lost', 'something_else'] as const
type Refusal = (typeof refusals)[number]

/** Which of the two commits that a run could have made. */
export type Commit = 'first' | 'second'
export const finishes = [
  'verified',
  'unproven',
  'partial_pass',
  'execution_failed',
  'timed_out',
  'stalled',
  'lost',
  'cancelled',
] as const
export type Finish = (typeof finishes)[number]

export function told(operation: Operation): string {
  const { do: verb, ...more } = operation
  return `${verb}(${JSON.stringify(more).slice(1, -1).replaceAll('"', '')})`
}

/** 40 hexadecimal digits for each run and choice. */
export function commitOf(run: number, commit: Commit): string {
  return `${commit === 'first' ? 'c' : 'd'}${run.toString(16)}`.padEnd(40, 'f')
}
