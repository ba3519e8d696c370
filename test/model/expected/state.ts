/**
 * What the engine should be keeping, told without it: plain values, so that a copy is cheap and two orders of two operations
 * can both be tried. Tasks, runs and workers are numbers: their place in the list.
 */
export type Expected = {
  tasks: Task[]
  runs: Run[]
  workers: Worker[]
  hubs: number
  /** By workspace and key: what was asked under it, and the task that was made by it. */
  keys: Record<string, { request: string; task: number | null }>
  /** What the hubs must have said to workers by the last operation. */
  told: string[]
  /** Runs that a hub gave out in a round whose commit was not answered: it says so in its next one. */
  untold: { hub: number; run: number }[]
}

export type State =
  | 'queued'
  | 'waiting'
  | 'assigned'
  | 'running'
  | 'verifying'
  | 'done'
  | 'dead'
  | 'cancelled'

export type Task = {
  ws: number
  id: string
  state: State
  ending: string | null
  epoch: number
  attempt: number
  losses: number
  failures: number
  retries: number
  phase: string | null
  lane: number
  timeoutMs: number
  needs: number[]
  worker: number | null
  /** The newest run. */
  run: number | null
  branch: string | null
  commit: string | null
  evidence: string | null
  place: Place | null
  events: string[]
}

/** Its row in the queue. */
type Place = { enqueued: Time; notBefore: Time | null; lease: Lease | null }
type Lease = {
  worker: number
  assigned: Time
  accepted: boolean
  expires: Time
  /** A result that came late has none any more. */
  deadline: Time | null
  /** When the run last said something about its work. */
  progress: Time
}

export type Run = {
  id: string
  task: number
  epoch: number
  attempt: number
  worker: number
  phase: string | null
  ending: string | null
  commit: string | null
  branch: string | null
  output: number[]
}

type Worker = {
  ws: number
  id: string
  name: string
  /** As stored: which hub has it, under which instance, when it was last seen. */
  hub: number | null
  instance: string | null
  seen: Time | null
  /** By hub: the connection that this hub keeps, alive or not. */
  lines: (Line | null)[]
  events: string[]
}

export type Line = { slots: number; wall: boolean; frozen: boolean; unanswered: number }

/**
 * An instant of the database's clock, known to lie between two readings of it; exact once it was read back. Program time:
 * what `time` operations let pass is already in it.
 */
export type Time = { from: number; to: number }

/** Between which two readings an operation happened. */
export type Window = Time

/** It cannot be told whether a time had come when the operation happened; the program says nothing. */
export class Undecided extends Error {}

export const later = (time: Time, ms: number): Time => ({ from: time.from + ms, to: time.to + ms })

/** Whether `time` had passed in this window. */
export function isPast(time: Time, window: Window): boolean {
  if (time.to < window.from) return true
  if (time.from >= window.to) return false
  throw new Undecided('a limit was reached while the operation went on')
}

/** The engine answered or did something that it should not have. */
export class Mismatch extends Error {}

export function say(task: Task, kind: string, data: Record<string, unknown> = {}): void {
  task.events.push(sentence(kind, data))
}

const shown = ['epoch', 'state', 'ending', 'phase', 'was']

/** An event in one line: its kind and those of its facts that the program can know. */
export function sentence(kind: string, data: Record<string, unknown>): string {
  return [kind, ...shown.filter((name) => name in data).map((name) => `${name}=${data[name]}`)].join(' ')
}

export const isTerminal = (state: State) => state === 'done' || state === 'dead' || state === 'cancelled'

export const isOpen = (expected: Expected, task: Task) =>
  task.needs.some((needed) => expected.tasks[needed]?.state !== 'done')

export function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`the program names ${index}, which is not there`)
  return found
}
