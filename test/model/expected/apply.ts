import type { Seen } from '../engine/engine.ts'
import type { Stored } from '../engine/stored.ts'
import type { Operation } from '../operations.ts'
import { asked } from './people.ts'
import { connected, left, present } from './presence.ts'
import { decided, renew, said } from './reports.ts'
import { dispatched, swept } from './rounds.ts'
import { at, Mismatch, type Expected, type Window } from './state.ts'

export type Witness = {
  seen: Seen
  /** What is stored after it; of two that raced, after both. */
  stored: Stored
  window: Window
  /** What was before it, and before what ran at the same time. */
  before: Expected
  /** False when another operation ran at the same time, or when its connection ended on the way. */
  alone: boolean
  /** Of two rounds that ran at the same time: which runs are of this one. */
  isOwn: (runId: string) => boolean
}

/** What this operation must have done. Changes `expected`, or throws `Mismatch` when the answer was wrong. */
export function apply(expected: Expected, operation: Operation, witness: Witness): void {
  const code = answer(expected, operation, witness)
  // Of an operation whose connection ended only what it did can be told.
  if (witness.seen.code !== code && witness.seen.code !== 'unknown')
    throw new Mismatch(`answered ${witness.seen.code}, expected ${code}`)
}

function answer(expected: Expected, operation: Operation, witness: Witness): string {
  const { seen, stored, window, alone } = witness
  switch (operation.do) {
    case 'submit':
    case 'cancel':
    case 'retry':
      return asked(expected, operation, witness)
    case 'say':
      return said(expected, operation, window)
    case 'renew':
      return renew(expected, operation, seen, window)
    case 'dispatch':
      dispatched(expected, operation.hub, witness)
      return 'ok'
    case 'sweep':
      swept(expected, window, stored, { alone })
      return 'ok'
    case 'hello': {
      if (!connected(expected, operation, window)) return 'worker_already_connected'
      const wanted = decided(expected, operation.worker, operation.holding, window)
      const got = (seen.decisions ?? []).map((decision) => decision.action)
      if (seen.code === 'ok' && wanted.join() !== got.join())
        throw new Mismatch(`decided [${got}], expected [${wanted}]`)
      return 'ok'
    }
    case 'leave':
      left(expected, operation.hub, operation.worker)
      return 'ok'
    case 'presence':
      present(expected, operation.hub, window)
      return 'ok'
    case 'freeze': {
      const line = at(expected.workers, operation.worker).lines[operation.hub]
      if (line) Object.assign(line, { frozen: operation.frozen, unanswered: operation.frozen ? 2 : 0 })
      return 'ok'
    }
    case 'restart':
      for (const worker of expected.workers) worker.lines[operation.hub] = null
      expected.untold = expected.untold.filter(({ hub }) => hub !== operation.hub)
      return 'ok'
    case 'wear':
      at(expected.tasks, operation.task).losses = operation.losses
      return 'ok'
    case 'time':
    case 'local clock':
      return 'ok'
  }
}
