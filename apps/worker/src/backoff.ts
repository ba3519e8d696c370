/**
 * How an attempt or a connection ended, as far as it says when the next one is worth making. `nobody`: nothing is there
 * that an attempt could burden, because nobody listens, or who did has just gone.
 */
export type End = 'nobody' | 'other'

/** Ends since the last welcome. */
export type Row = Readonly<Record<End, number>>

export const noEnds: Row = { nobody: 0, other: 0 }

const limits = {
  // A hub that was killed is back within a second or two, and its tasks wait for its workers.
  nobody: { firstMs: 250, longestMs: 1_000 },
  // SIDE-01.
  other: { firstMs: 1_000, longestMs: 60_000 },
}

/**
 * The delay before the next attempt, and the row that this end continues. 1 s, 2 s, 4 s … 60 s; while nobody is there
 * 250 ms, 500 ms and then 1 s, each up to a quarter shorter or longer, so that all workers of a hub do not come back in
 * the same moment.
 */
export function afterEnd(row: Row, end: End, random: () => number): { delayMs: number; row: Row } {
  const { firstMs, longestMs } = limits[end]
  const ends = row[end] + 1
  const delayMs = Math.min(firstMs * 2 ** (ends - 1), longestMs)
  const spread = end === 'nobody' ? 0.75 + random() / 2 : 1
  return { delayMs: Math.round(delayMs * spread), row: { ...row, [end]: ends } }
}

export type Closing = {
  /** Of the closing frame; 1006 when there was none. */
  code: number
  wasOpen: boolean
  /** HTTP status of a refused upgrade. */
  status: number | undefined
  /** Of the socket's error; ETIMEDOUT when this side gave the connection up. */
  error: string | undefined
}

const hubStops = 1001
const noFrame = 1006
const gone = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE']
// What a proxy answers when nobody listens behind it. 503 is the hub's own word and means that it has trouble.
const badGateway = 502

export function endOf({ code, wasOpen, status, error }: Closing): End {
  if (status !== undefined) return status === badGateway ? 'nobody' : 'other'
  if (error === 'ETIMEDOUT') return 'other'
  if (wasOpen) return code === hubStops || code === noFrame ? 'nobody' : 'other'
  return gone.includes(error ?? '') ? 'nobody' : 'other'
}
