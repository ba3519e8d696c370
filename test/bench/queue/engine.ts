import type { Memory } from './memory.ts'

/** A queue under measurement, each in an empty database of its own on the one server. */
export type Engine = {
  /** Hands in this many jobs as fast as its interface allows. */
  bulk(count: number): Promise<void>
  /** Hands in one; resolves when it is committed. */
  enqueue(): Promise<void>
  /** Handlers from now on, at most `concurrency` at once; `onStart` is called by each job's handler first. */
  work(concurrency: number, onStart: () => void): Promise<void>
  rest(): Promise<void>
  /** Jobs not completed yet, as the database says. */
  pending(): Promise<number>
  /** Completed jobs of another day; false when this queue keeps none. */
  seedHistory(count: number): Promise<boolean>
  /** A faster way to the same rows as `bulk`, where there is one. */
  seedBacklog?(count: number): Promise<void>
  close(): Promise<void>
  /** What the hub holds, or this process where the hub is in it. */
  memory?(): Promise<Memory>
  /** Processes besides this one whose processor time belongs to the queue. */
  pids?: number[]
}

export type OpenEngine = (url: string) => Promise<Engine>

/** The most jobs that a queue takes from the database at once, the same for all: most of a difference is made here. */
export const claimBatch = 100

/** Connections for handing in. Muster's hub has 16 of its own. */
export const poolSize = 16

/** The same for all: some hundred bytes, as a short command with its title. */
export const payload = { command: 'true', pad: 'x'.repeat(100) }

export function chunks(count: number, size: number): number[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, at) => Math.min(size, count - at * size))
}

/** So many clients, each with one request at a time, until that many are done. */
export async function inParallel(clients: number, count: number, work: () => Promise<void>): Promise<void> {
  let left = count
  const client = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: clients }, client))
}
