import type { Report } from '@muster/contract/checks'
import type { Assignment, RunResult, WorkerMessage } from '@muster/contract/wire'
import { eventually } from '@muster/testkit/eventually'

type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never
export type Said = Extract<WithoutId<WorkerMessage>, { type: 'accept' | 'publish' | 'finish' | 'renew' }>

/**
 * `whole`: accepted, run, granted its branch, finished with the proof that makes its task done.
 * `claimed and ended`: what other queues mean by a job; no acceptance, no branch, no evidence.
 */
export type Cycle = 'whole' | 'claimed and ended'

/**
 * A worker whose runs take no time: it says to the hub what a real one says, in the same order, and does nothing else.
 * Like the queues beside it, it does not wait for the answer to an end before it starts the next run.
 */
export function createFakeWorker(options: {
  concurrency: number
  cycle: Cycle
  onStart: () => void
  /** Resolves with the hub's yes, rejects with its no. */
  say: (said: Said) => Promise<void>
  onError: (error: unknown) => void
}) {
  const { concurrency, cycle, onStart, say, onError } = options
  const waiting: { assignment: Assignment; accepted: Promise<void> }[] = []
  const held = new Map<string, number>()
  let running = 0

  const run = async ({ assignment, accepted }: (typeof waiting)[number]) => {
    await accepted
    onStart()
    const { taskId, epoch, runId, branch } = assignment
    if (cycle === 'whole') await say({ type: 'publish', taskId, epoch, branch, commit })
    const result = cycle === 'whole' ? proven(assignment) : failed
    const finished = say({ type: 'finish', taskId, epoch, runId, result })
    void finished.then(() => held.delete(taskId), onError)
  }
  const pump = () => {
    while (running < concurrency) {
      const next = waiting.shift()
      if (next === undefined) return
      running += 1
      void run(next)
        .catch(onError)
        .finally(() => {
          running -= 1
          pump()
        })
    }
  }
  return {
    take(assignment: Assignment) {
      const { taskId, epoch } = assignment
      held.set(taskId, epoch)
      const accepted = cycle === 'whole' ? say({ type: 'accept', taskId, epoch }) : Promise.resolve()
      accepted.catch(() => {})
      waiting.push({ assignment, accepted })
      pump()
    },
    /** Everything that it was given is ended. */
    idle: () =>
      eventually(() => held.size === 0, {
        what: 'the worker of the bench ends its runs',
        timeoutMs: 60_000,
        everyMs: 5,
      }),
    renew: () => say({ type: 'renew', leases: [...held].map(([taskId, epoch]) => ({ taskId, epoch })) }),
  }
}

const commit = 'c'.repeat(40)
const base = 'b'.repeat(40)

function proven({ branch }: Assignment): RunResult {
  const report: Report = {
    overall: 'pass',
    run: 1,
    commit,
    base,
    ms: 5,
    totals: { pass: 1, fail: 0, error: 0, timeout: 0 },
    changed: { files: 1, insertions: 1, deletions: 0 },
    proof: { restored: [], removed: [], merged: [] },
    checks: [{ kind: 'file_exists', target: 'x', status: 'pass', output: '', ms: 1 }],
  }
  const said = { ending: 'verified' as const, reason: 'All checks passed.', exitCode: 0 }
  return { ...said, base, commit, branch, report, diff: 'diff --git a/x b/x\n', diffTruncated: false }
}

const failed: RunResult = {
  ending: 'execution_failed',
  reason: 'The command ended with exit code 1.',
  exitCode: 1,
  base,
  commit: null,
  branch: null,
  report: null,
  diff: '',
  diffTruncated: false,
}

/** What every engine of Muster is handed. */
export const benchTask = {
  repo: 'bench',
  title: 'A task of the bench',
  run: 'true',
  // A job of the other queues that failed is not tried again here either.
  retries: 0,
  checks: [{ kind: 'file_exists' as const, target: 'x' }],
}

/** A worker at rest gets nothing more, or it would first work off all that waits. $1 why, or null. */
export const cordonAll = 'update workers set cordoned = $1'
