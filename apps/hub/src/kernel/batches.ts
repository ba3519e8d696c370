import { isDatabaseTrouble, MusterError } from './errors.ts'

export type Outcome<Output> = PromiseSettledResult<Output>

/** A refusal as a value, so that it concerns one of many. Anything but a refusal is still thrown. */
export function refusedOr<T>(work: () => Promise<T>): Promise<Outcome<T>>
export function refusedOr<T>(work: () => T): Outcome<T>
export function refusedOr<T>(work: () => T | Promise<T>): Outcome<T> | Promise<Outcome<T>> {
  const refused = (error: unknown): Outcome<T> => {
    if (!(error instanceof MusterError) || error.status >= 500) throw error
    return { status: 'rejected', reason: error }
  }
  const fulfilled = (value: T): Outcome<T> => ({ status: 'fulfilled', value })
  try {
    const value = work()
    return value instanceof Promise ? value.then(fulfilled, refused) : fulfilled(value)
  } catch (error) {
    return refused(error)
  }
}

type Call<Input, Output> = {
  input: Input
  resolve: (output: Output) => void
  reject: (error: unknown) => void
}

/**
 * Makes one piece of work of the calls that arrive together or while earlier ones are on their way: one transaction
 * and one flush of the disk for many, and at rest no waiting at all. Calls of different keys never share one.
 *
 * Each caller gets its own outcome. When the work as a whole fails, its calls are done one by one, so that what is
 * wrong with one is not the others' affair; only a database that is away is everybody's.
 */
export function createBatches<Input, Output>(options: {
  /** Calls in one piece. */
  most: number
  /** Pieces under way for one key. With two, one is computed while the other waits for the disk. */
  atOnce: number
  /** Calls of one name are done one after the other, in their order, and never in one piece. */
  apart?: (input: Input) => string
  work: (key: string, inputs: Input[]) => Promise<Outcome<Output>[]>
}): (key: string, input: Input) => Promise<Output> {
  const { most, atOnce, apart, work } = options
  type Lane = { waiting: Call<Input, Output>[]; under: number; asked: boolean; busy: Set<string> }
  const lanes = new Map<string, Lane>()

  /** The next piece: the oldest calls whose names are not under way. */
  const next = (lane: Lane): Call<Input, Output>[] => {
    if (apart === undefined) return lane.waiting.splice(0, most)
    const [piece, rest]: [Call<Input, Output>[], Call<Input, Output>[]] = [[], []]
    const passed = new Set<string>()
    for (const call of lane.waiting) {
      const name = apart(call.input)
      const isFree = piece.length < most && !lane.busy.has(name) && !passed.has(name)
      if (isFree) lane.busy.add(name)
      else passed.add(name)
      ;(isFree ? piece : rest).push(call)
    }
    lane.waiting = rest
    return piece
  }

  const settle = async (key: string, calls: Call<Input, Output>[]): Promise<void> => {
    try {
      const outcomes = await work(
        key,
        calls.map((call) => call.input),
      )
      calls.forEach((call, at) => {
        const outcome = outcomes[at]
        if (outcome?.status === 'fulfilled') call.resolve(outcome.value)
        else call.reject(outcome?.reason ?? new Error('a call was left without an outcome'))
      })
    } catch (error) {
      if (calls.length === 1 || isDatabaseTrouble(error)) return calls.forEach((call) => call.reject(error))
      for (const call of calls) await settle(key, [call])
    }
  }

  const start = (key: string) => {
    const lane = lanes.get(key)
    if (lane === undefined) return
    lane.asked = false
    while (lane.under < atOnce && lane.waiting.length > 0) {
      const piece = next(lane)
      if (piece.length === 0) return
      lane.under += 1
      void settle(key, piece).finally(() => {
        lane.under -= 1
        if (apart !== undefined) for (const { input } of piece) lane.busy.delete(apart(input))
        if (lane.under === 0 && lane.waiting.length === 0) lanes.delete(key)
        else start(key)
      })
    }
  }

  return (key, input) =>
    new Promise((resolve, reject) => {
      const lane = lanes.get(key) ?? { waiting: [], under: 0, asked: false, busy: new Set() }
      lanes.set(key, lane)
      lane.waiting.push({ input, resolve, reject })
      if (lane.asked) return
      lane.asked = true
      // After the sockets that are readable now were read: what they hold belongs together.
      setImmediate(start, key)
    })
}
