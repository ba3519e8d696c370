import { at, isTerminal, type Expected } from './expected/state.ts'
import type { Commit, Finish, Holding, Lease, Message, Operation } from './operations.ts'

/**
 * One operation before it is known what there is to do it to. Numbers pick among what there is at that moment, so that a
 * program that lost some of its operations while it is made smaller still means something.
 */
export type Draw =
  | {
      do: 'submit'
      hub: number
      ws: number
      key: number | null
      lane: number
      after: number[]
      odd: 'unknown' | 'foreign' | null
      timeoutMs: number
      retries: number
    }
  | { do: 'cancel' | 'retry'; hub: number; task: number; foreign: boolean; key: number | null }
  /** The same request once more. */
  | { do: 'again'; hub: number; request: number }
  | { do: 'dispatch' | 'sweep' | 'presence' | 'restart'; hub: number }
  | {
      do: 'hello'
      hub: number
      worker: number
      copy: boolean
      slots: number
      wall: boolean
      phases: Holding['phase'][]
    }
  | { do: 'leave'; hub: number; worker: number }
  | { do: 'freeze'; hub: number; worker: number; frozen: boolean }
  | { do: 'say'; run: number; fence: Fence; worker: number; message: DrawnMessage }
  | { do: 'renew'; worker: number; extra: number; isOld: boolean }
  | { do: 'time'; ms: number }
  | { do: 'local clock'; ms: number }
  | { do: 'wear'; task: number; losses: number }

/** Who speaks under which number: the one that may, or one of those that may not. */
export type Fence = 'right' | 'old run' | 'other worker' | 'other workspace' | 'older epoch' | 'newer epoch'
type DrawnMessage =
  | Exclude<Message, { type: 'finish' }>
  | { type: 'finish'; as: Finish; commit: Commit; otherRun: boolean }

/**
 * The operation itself, or undefined when there is nothing that it could be done to. `near` narrows the choice to what belongs
 * to one task, for races: two operations on different tasks rarely meet.
 */
export function resolve(
  expected: Expected,
  draw: Draw,
  serial: number,
  near?: number,
): Operation | undefined {
  const tasks = nearby(expected, near)
  const { hubs } = expected
  switch (draw.do) {
    case 'submit': {
      const own = tasks.filter((n) => at(expected.tasks, n).ws === draw.ws)
      const foreign = expected.tasks.findIndex((task) => task.ws !== draw.ws)
      if (draw.odd === 'foreign' && foreign < 0) return undefined
      const after =
        own.length === 0 ? [] : draw.after.map((n) => own[own.length - 1 - (n % own.length)] as number)
      if (draw.odd === 'foreign') after.push(foreign)
      const { hub, ws, lane, timeoutMs, retries } = draw
      return {
        do: 'submit',
        hub: hub % hubs,
        ws,
        lane,
        timeoutMs,
        retries,
        key: keyOf(draw.key, serial),
        after,
        unknown: draw.odd === 'unknown',
      }
    }
    case 'cancel':
    case 'retry': {
      const fitting = tasks.filter((n) => isTerminal(at(expected.tasks, n).state) === (draw.do === 'retry'))
      const task = pick(fitting.length > 0 && draw.task % 8 > 0 ? fitting : tasks, draw.task)
      if (task === undefined) return undefined
      const { ws } = at(expected.tasks, task)
      return {
        do: draw.do,
        hub: draw.hub % hubs,
        ws: draw.foreign ? 1 - ws : ws,
        task,
        key: keyOf(draw.key, serial),
      }
    }
    case 'again': {
      const known = pick(Object.entries(expected.keys), draw.request)
      if (known === undefined) return undefined
      const [name, { request }] = known
      return {
        ...(JSON.parse(request) as Operation),
        hub: draw.hub % hubs,
        key: name.split(' ')[1],
      } as Operation
    }
    case 'hello': {
      const worker = draw.worker % expected.workers.length
      const mine = expected.runs.flatMap((run, n) =>
        run.worker === worker ? [{ task: run.task, run: n, epoch: run.epoch }] : [],
      )
      const last = draw.phases.length === 0 ? [] : mine.slice(-draw.phases.length)
      const holding = last.map((lease, n) => ({ ...lease, phase: at(draw.phases, n) }))
      const { copy, slots, wall } = draw
      return { do: 'hello', hub: draw.hub % hubs, worker, copy, slots, wall, holding }
    }
    case 'leave':
    case 'freeze': {
      const worker = draw.worker % expected.workers.length
      const hub = draw.hub % hubs
      return at(expected.workers, worker).lines[hub] ? { ...draw, hub, worker } : undefined
    }
    case 'say':
      return speech(expected, draw, tasks)
    case 'renew': {
      const worker = draw.worker % expected.workers.length
      const hub = hubOf(expected, worker)
      const runs = expected.runs.flatMap((run, n) =>
        run.worker === worker ? [{ task: run.task, run: n, epoch: run.epoch }] : [],
      )
      // A worker that has a task again and names its earlier run of it is the one that the epoch is for.
      const again = runs.filter(({ task, run }) => {
        const { run: newest, place } = at(expected.tasks, task)
        return newest !== run && place?.lease?.worker === worker
      })
      const leases = (draw.isOld && again.length > 0 ? again : runs).slice(-1 - draw.extra)
      if (hub === undefined || leases.length === 0) return undefined
      return { do: 'renew', hub, worker, leases }
    }
    case 'wear': {
      const task = pick(
        expected.tasks.map((_, n) => n).filter((n) => !isTerminal(at(expected.tasks, n).state)),
        draw.task,
      )
      return task === undefined ? undefined : { ...draw, task }
    }
    case 'dispatch':
    case 'sweep':
    case 'presence':
    case 'restart':
      return { do: draw.do, hub: draw.hub % hubs }
    case 'time':
    case 'local clock':
      return draw
  }
}

function speech(
  expected: Expected,
  draw: Extract<Draw, { do: 'say' }>,
  tasks: number[],
): Operation | undefined {
  const isLive = (run: number) => {
    const { task, epoch } = at(expected.runs, run)
    return at(expected.tasks, task).epoch === epoch && at(expected.tasks, task).place?.lease != null
  }
  const near = expected.runs.map((_, n) => n).filter((n) => tasks.includes(at(expected.runs, n).task))
  const run = pick(
    near.filter((n) => isLive(n) !== (draw.fence === 'old run')),
    draw.run,
  )
  if (run === undefined) return undefined
  const { task, epoch, worker: owner } = at(expected.runs, run)
  const speaker = speakerOf(expected, owner, draw)
  const hub = speaker === undefined ? undefined : hubOf(expected, speaker)
  if (speaker === undefined || hub === undefined) return undefined
  const said: Lease = {
    task,
    run,
    epoch: epoch + (draw.fence === 'newer epoch' ? 1 : draw.fence === 'older epoch' ? -1 : 0),
  }
  if (said.epoch < 1) return undefined
  const { message } = draw
  if (message.type !== 'finish') return { do: 'say', hub, worker: speaker, lease: said, message }
  const { otherRun, ...finish } = message
  const other = expected.runs.findIndex((_, n) => n !== run && near.includes(n))
  return {
    do: 'say',
    hub,
    worker: speaker,
    lease: otherRun && other >= 0 ? { ...said, run: other } : said,
    message: finish,
  }
}

function speakerOf(
  expected: Expected,
  owner: number,
  draw: { fence: Fence; worker: number },
): number | undefined {
  if (draw.fence !== 'other worker' && draw.fence !== 'other workspace') return owner
  const { ws } = at(expected.workers, owner)
  const isSame = draw.fence === 'other worker'
  return pick(
    expected.workers
      .map((_, n) => n)
      .filter((n) => n !== owner && (at(expected.workers, n).ws === ws) === isSame),
    draw.worker,
  )
}

/** A hub that has a connection of this worker; the one it said hello to last, if that one has. */
function hubOf(expected: Expected, worker: number): number | undefined {
  const { hub, lines } = at(expected.workers, worker)
  if (hub !== null && lines[hub]) return hub
  const any = lines.findIndex((line) => line !== null)
  return any < 0 ? undefined : any
}

/** A task, what it waits for and what waits for it. */
function nearby(expected: Expected, near: number | undefined): number[] {
  const all = expected.tasks.map((_, n) => n)
  if (near === undefined) return all
  const centre = at(expected.tasks, near)
  return all.filter(
    (n) => n === near || centre.needs.includes(n) || at(expected.tasks, n).needs.includes(near),
  )
}

const pick = <T>(list: T[], n: number): T | undefined => list[n % Math.max(1, list.length)]

/** One of a few keys, that will be met again, or one of its own. */
const keyOf = (key: number | null, serial: number) => (key === null ? `own-${serial}` : `shared-${key}`)

/** The task that an operation is about, for a second one that shall meet it. */
export function taskOf(operation: Operation): number | undefined {
  if ('task' in operation) return operation.task
  if (operation.do === 'submit') return operation.after.at(-1)
  if (operation.do === 'say') return operation.lease.task
  return operation.do === 'renew' ? operation.leases.at(-1)?.task : undefined
}
