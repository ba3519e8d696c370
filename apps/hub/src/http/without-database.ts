import { MusterError } from '../kernel/errors.ts'

export type Patience = {
  /** After so long without an answer of the database what can be done without it is done. */
  actAfterMs: number
  /** After so long the one who asks is answered. */
  answerAfterMs: number
}

// Workers need up to 2 s to end a run, and 5 s after the request nothing may run any more.
export const patience: Patience = { actAfterMs: 1_000, answerAfterMs: 3_000 }

/**
 * Does a verb that must have its effect although the database is away, be it gone or silent. `instead` has that effect
 * and says how many workers it reached, or answers undefined for somebody who may not have it without being looked up; then
 * the answer is that of the verb itself.
 */
export async function orWithoutDatabase<T>(
  verb: () => Promise<T>,
  instead: () => number | undefined,
  { actAfterMs, answerAfterMs }: Patience = patience,
): Promise<T> {
  const recorded = verb()
  const refused = recorded.then(
    () => false,
    (error: unknown) => isAway(error),
  )
  if ((await within(actAfterMs, refused)) === false) return recorded
  const told = instead()
  if (told === undefined) return recorded
  if ((await within(answerAfterMs - actAfterMs, refused)) === false) return recorded
  throw new MusterError('stopped_unrecorded', `The database does not answer. ${saying(told)}`)
}

function isAway(error: unknown): boolean {
  return error instanceof MusterError && error.code === 'database_unavailable'
}

/** Undefined when the time is over first. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)))
  return Promise.race([promise, over]).finally(() => clearTimeout(timer))
}

function saying(told: number): string {
  if (told === 0) return 'No worker is connected here to be told; runs end with their leases, within 10 s.'
  return `${told === 1 ? '1 worker was' : `${told} workers were`} told to stop what they run.`
}
