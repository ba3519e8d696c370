import * as fc from 'fast-check'
import { leaseMs } from './expected/endings.ts'
import { at, Undecided, type Expected } from './expected/state.ts'
import { told, type Operation } from './operations.ts'
import type { Program } from './program.ts'
import { resolve, taskOf, type Draw } from './resolve.ts'

/** What fast-check knows of a program while it runs; the rest is in the program itself. */
type Known = { program: Program; serial: number }
export type Step = fc.AsyncCommand<Known, Record<string, never>>

const raceable = ['submit', 'again', 'cancel', 'retry', 'dispatch', 'sweep', 'hello', 'say', 'renew']

export function stepAlone(draw: Draw): Step {
  return step(
    (known) => resolve(known.program.expected(), draw, known.serial),
    (program, operation) => program.alone(operation),
    told,
    () => `${JSON.stringify(draw)}`,
  )
}

export function stepTogether(race: {
  first: Draw
  second: Draw
  isSame: boolean
  isNear: boolean
  turns: number[]
}): Step {
  return step(
    (known) => {
      const expected = known.program.expected()
      const first = resolve(expected, race.first, known.serial)
      if (first === undefined || !raceable.includes(race.first.do)) return undefined
      // Two that say hello at once are of interest when they are one worker.
      const { first: one, second: two } = race
      const other = one.do === 'hello' && two.do === 'hello' ? { ...two, worker: one.worker } : two
      const second = race.isSame
        ? first
        : resolve(expected, other, known.serial + 1_000, race.isNear ? taskOf(first) : undefined)
      if (second === undefined || !raceable.includes(second.do)) return undefined
      if (!isOneInstant(expected, first) || !isOneInstant(expected, second)) return undefined
      // One hub never runs two rounds at once.
      if (first.do === 'dispatch' && second.do === 'dispatch' && first.hub === second.hub) return undefined
      return [first, second] as const
    },
    (program, [first, second]) => program.together([first, second], race.turns),
    ([first, second]) => `${told(first)} with ${told(second)} in turns ${race.turns}`,
    () => JSON.stringify(race),
  )
}

/** Time that a worker lived through: it has renewed what it holds. */
export function stepLater({ time, renew }: { time: Draw; renew: Draw }): Step {
  return step(
    (known) => resolve(known.program.expected(), renew, known.serial),
    async (program, operation) => {
      if (time.do === 'time') await program.alone(time)
      await program.alone(operation)
    },
    (operation) => `later ${JSON.stringify(time)} ${told(operation)}`,
    () => JSON.stringify({ time, renew }),
  )
}

/** Longer than a lease, and then its end and its result at once. */
export function stepLate({ finish, hub, turns }: { finish: Draw; hub: number; turns: number[] }): Step {
  return step(
    ({ program, serial }) => resolve(program.expected(), finish, serial),
    async (program, operation) => {
      await program.alone({ do: 'time', ms: leaseMs + 3_000 })
      await program.together([operation, { do: 'sweep', hub: hub % program.expected().hubs }], turns)
    },
    (operation) => `late ${told(operation)} in turns ${turns}`,
    () => JSON.stringify({ finish, turns }),
  )
}

/** A task that is about to be done, and one that is handed in at this moment and waits for it. */
export function stepNeeded(race: { finish: Draw; submit: Draw; turns: number[] }): Step {
  return step(
    ({ program, serial }) => {
      const finish = resolve(program.expected(), race.finish, serial)
      const submit = resolve(program.expected(), race.submit, serial + 1_000)
      if (finish?.do !== 'say' || finish.message.type !== 'finish' || submit?.do !== 'submit')
        return undefined
      const { task } = finish.lease
      const { ws } = at(program.expected().tasks, task)
      return {
        finish,
        commit: finish.message.commit,
        submit: { ...submit, ws, after: [task], unknown: false },
      }
    },
    async (program, { finish, commit, submit }) => {
      await program.alone({ ...finish, message: { type: 'publish', branch: 'proven', commit } })
      await program.together([submit, finish], race.turns)
    },
    ({ finish, submit }) => `${told(submit)} needs ${told(finish)} in turns ${race.turns}`,
    () => JSON.stringify(race),
  )
}

export function stepBrokenOff(fault: { draw: Draw; step: number; unknown: boolean }): Step {
  return step(
    ({ program, serial }) => {
      if (!raceable.includes(fault.draw.do) || isProgress(fault.draw)) return undefined
      const operation = resolve(program.expected(), fault.draw, serial)
      return operation && isOneInstant(program.expected(), operation) ? operation : undefined
    },
    (program, operation) => program.brokenOff(operation, fault),
    (operation) =>
      `${told(operation)} ${fault.unknown ? 'commit unanswered' : 'broken off'} at ${fault.step}`,
    () => JSON.stringify(fault),
  )
}

/** A round that has to say something of an earlier one first has two right answers when something comes between. */
const isOneInstant = (expected: Expected, operation: Operation) =>
  operation.do !== 'dispatch' || expected.untold.length === 0

/** Nobody waits for its answer, so nobody is told that its connection ended. */
const isProgress = (draw: Draw) => draw.do === 'say' && draw.message.type === 'progress'

/** A step that is left out when there is nothing to do it to. */
function step<T>(
  find: (known: Known) => T | undefined,
  run: (program: Program, found: T) => Promise<void>,
  show: (found: T) => string,
  draft: () => string,
): Step {
  let shown: string | undefined
  return {
    check: (known) => find(known) !== undefined,
    async run(known) {
      const found = find(known)
      if (found === undefined) return
      shown = show(found)
      known.serial += 1
      try {
        await run(known.program, found)
      } catch (error) {
        // The clock stood within a few milliseconds of a limit: neither answer would be wrong.
        if (error instanceof Undecided) fc.pre(false)
        throw error
      }
    },
    toString: () => shown ?? draft(),
  }
}
