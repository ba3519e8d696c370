import * as fc from 'fast-check'
import { finishes, refusals } from './operations.ts'
import type { Setup } from './program.ts'
import type { Draw, Fence } from './resolve.ts'
import {
  stepAlone,
  stepBrokenOff,
  stepLate,
  stepLater,
  stepNeeded,
  stepTogether,
  type Step,
} from './steps.ts'

const hub = fc.nat(1)
const worker = fc.nat(2)
const many = fc.nat(63)

const submit = fc.record({
  do: fc.constant('submit' as const),
  hub,
  ws: fc.constantFrom(0, 0, 0, 1),
  key: fc.option(fc.nat(2), { freq: 4 }),
  lane: fc.constantFrom(0, 1, 2, 2, 2, 3),
  after: fc.array(fc.nat(3), { maxLength: 2 }),
  odd: fc.constantFrom(null, null, null, null, null, null, null, 'unknown' as const, 'foreign' as const),
  timeoutMs: fc.constantFrom(27_000, 600_000, 7_200_000),
  retries: fc.constantFrom(0, 1, 2),
})
const change = (verb: 'cancel' | 'retry') =>
  fc.record({
    do: fc.constant(verb),
    hub,
    task: many,
    foreign: oneIn(16),
    key: fc.option(fc.nat(2), { freq: 8 }),
  })
const round = (verb: 'dispatch' | 'sweep' | 'presence' | 'restart') =>
  fc.record({ do: fc.constant(verb), hub })
const again = fc.record({ do: fc.constant('again' as const), hub, request: many })
const hello = fc.record({
  do: fc.constant('hello' as const),
  hub,
  worker,
  copy: oneIn(10),
  slots: fc.constantFrom(1, 2),
  wall: fc.constantFrom(true, true, true, true, false),
  phases: fc.array(fc.constantFrom('running' as const, 'finished' as const, 'lost' as const), {
    maxLength: 3,
  }),
})
const leave = fc.record({ do: fc.constant('leave' as const), hub, worker })
const freeze = fc.record({ do: fc.constant('freeze' as const), hub, worker, frozen: fc.boolean() })
const renew = fc.record({
  do: fc.constant('renew' as const),
  worker,
  extra: fc.nat(2),
  isOld: oneIn(3),
})
const time = fc.record({
  do: fc.constant('time' as const),
  ms: fc.constantFrom(4_000, 7_000, 13_000, 32_000, 55_000, 1_300_000),
})
const localClock = fc.record({
  do: fc.constant('local clock' as const),
  ms: fc.constantFrom(-3_600_000, 0, 3_600_000),
})
const wear = fc.record({ do: fc.constant('wear' as const), task: many, losses: fc.constantFrom(7, 8) })

const fence: fc.Arbitrary<Fence> = weighted<Fence>([
  [12, 'right'],
  [2, 'old run'],
  [1, 'other worker'],
  [1, 'other workspace'],
  [1, 'older epoch'],
  [1, 'newer epoch'],
])
const commit = fc.constantFrom('first' as const, 'first' as const, 'first' as const, 'second' as const)
const accept = fc.constant({ type: 'accept' as const })
const refuse = fc.record({
  type: fc.constant('refuse' as const),
  code: fc.constantFrom(...refusals),
})
const wake = fc.record({
  type: fc.constant('wake' as const),
  state: fc.constantFrom('trying' as const, 'woken' as const),
})
const phase = fc.record({
  type: fc.constant('phase' as const),
  phase: fc.constantFrom('running' as const, 'verifying' as const),
})
const output = fc.record({ type: fc.constant('output' as const), batch: fc.nat(1) })
const progress = fc.constant({ type: 'progress' as const })
const publish = fc.record({
  type: fc.constant('publish' as const),
  branch: fc.constantFrom(
    'proven' as const,
    'proven' as const,
    'proven' as const,
    'kept' as const,
    'foreign' as const,
  ),
  commit,
})
const finish = fc.record({
  type: fc.constant('finish' as const),
  as: fc.constantFrom('verified' as const, 'verified' as const, 'verified' as const, ...finishes),
  commit,
  otherRun: oneIn(16),
})
const done = fc.record({
  type: fc.constant('finish' as const),
  as: fc.constant('verified' as const),
  commit,
  otherRun: fc.constant(false),
})
const turns = fc.array(fc.nat(12), { minLength: 1, maxLength: 3 })
const say = (message: fc.Arbitrary<Extract<Draw, { do: 'say' }>['message']>) =>
  fc.record({ do: fc.constant('say' as const), run: many, fence, worker, message })

/** How often each kind of operation comes; what is left out comes at its usual weight. */
const usual = {
  submit: 6,
  again: 1,
  cancel: 2,
  retry: 1,
  dispatch: 7,
  sweep: 3,
  presence: 1,
  restart: 1,
  hello: 4,
  leave: 1,
  freeze: 1,
  renew: 2,
  time: 3,
  clock: 1,
  wear: 1,
  accept: 3,
  refuse: 1,
  wake: 1,
  phase: 2,
  output: 1,
  progress: 1,
  publish: 4,
  finish: 6,
}
type Weights = Partial<Record<keyof typeof usual, number>>

function draws(weights: Weights): fc.Arbitrary<Draw> {
  const made: Record<keyof typeof usual, fc.Arbitrary<Draw>> = {
    submit,
    again,
    cancel: change('cancel'),
    retry: change('retry'),
    dispatch: round('dispatch'),
    sweep: round('sweep'),
    presence: round('presence'),
    restart: round('restart'),
    hello,
    leave,
    freeze,
    renew,
    time,
    clock: localClock,
    wear,
    accept: say(accept),
    refuse: say(refuse),
    wake: say(wake),
    phase: say(phase),
    output: say(output),
    progress: say(progress),
    publish: say(publish),
    finish: say(finish),
  }
  const names = Object.keys(made) as (keyof typeof usual)[]
  return fc.oneof(...names.map((name) => ({ arbitrary: made[name], weight: weights[name] ?? usual[name] })))
}

/**
 * How often steps of each kind come: operations alone, two at once, broken off, time that workers live through, and time that
 * they do not, with a result at the very moment at which its lease is taken back; and a task that is done at the very moment
 * at which another that needs it is handed in.
 */
type Kind = {
  weights: Weights
  alone: number
  together: number
  brokenOff: number
  later: number
  late: number
  needed?: number
}

/** What kinds of programs there are: each looks harder at one part of the protocol. */
export const profiles = {
  mixed: { weights: {}, alone: 8, together: 3, brokenOff: 1, later: 1, late: 0 },
  reports: {
    weights: {
      accept: 4,
      publish: 8,
      finish: 8,
      output: 4,
      progress: 3,
      phase: 4,
      renew: 4,
      hello: 2,
      sweep: 2,
      time: 2,
    },
    alone: 9,
    together: 2,
    brokenOff: 1,
    later: 1,
    late: 0,
  },
  losses: {
    weights: {
      time: 5,
      sweep: 7,
      wear: 3,
      refuse: 4,
      progress: 3,
      hello: 5,
      renew: 4,
      accept: 6,
      publish: 2,
      finish: 5,
    },
    alone: 8,
    together: 2,
    brokenOff: 1,
    later: 3,
    late: 0,
  },
  parents: {
    weights: {
      submit: 9,
      publish: 9,
      finish: 10,
      retry: 5,
      cancel: 4,
      dispatch: 9,
      sweep: 1,
      hello: 2,
      time: 1,
    },
    alone: 8,
    together: 4,
    brokenOff: 1,
    later: 0,
    late: 0,
    needed: 2,
  },
  people: {
    weights: { submit: 9, again: 6, cancel: 6, retry: 5 },
    alone: 8,
    together: 3,
    brokenOff: 2,
    later: 0,
    late: 0,
  },
  presence: {
    weights: { hello: 8, leave: 4, freeze: 3, presence: 4, restart: 3, publish: 1, finish: 4, time: 5 },
    alone: 8,
    together: 3,
    brokenOff: 1,
    later: 0,
    late: 0,
  },
  races: {
    weights: { cancel: 4, publish: 6, finish: 7, sweep: 5, time: 5, dispatch: 9 },
    alone: 6,
    together: 6,
    brokenOff: 0,
    later: 1,
    late: 3,
  },
  faults: {
    weights: { cancel: 5, phase: 4, publish: 6, finish: 7 },
    alone: 8,
    together: 0,
    brokenOff: 6,
    later: 0,
    late: 0,
  },
} satisfies Record<string, Kind>
export type Profile = keyof typeof profiles

export function programs(profile: Profile, length: number) {
  const { weights, alone, together, brokenOff, later, late, needed = 0 } = profiles[profile] as Kind
  const draw = draws(weights)
  const steps: fc.Arbitrary<Step>[] = [
    ...repeat(
      alone,
      draw.map((each) => stepAlone(each)),
    ),
    ...repeat(
      together,
      fc
        .record({
          first: draw,
          second: draw,
          isSame: oneIn(6),
          isNear: fc.constantFrom(true, true, true, false),
          turns,
        })
        .map((race) => stepTogether(race)),
    ),
    ...repeat(
      brokenOff,
      fc
        .record({ draw, step: fc.integer({ min: 1, max: 20 }), unknown: fc.boolean() })
        .map((each) => stepBrokenOff(each)),
    ),
  ]
  steps.push(
    ...repeat(
      later,
      fc.record({ time, renew }).map((each) => stepLater(each)),
    ),
    ...repeat(
      late,
      fc.record({ finish: say(finish), hub, turns }).map((each) => stepLate(each)),
    ),
    ...repeat(
      needed,
      fc.record({ finish: say(done), submit, turns }).map((each) => stepNeeded(each)),
    ),
  )
  const setup: fc.Arbitrary<Setup> = fc.record({
    hubs: fc.constantFrom(1, 2, 2),
    workers: fc.constantFrom(1, 2, 3, 3),
  })
  return { setup, commands: fc.commands(steps, { maxCommands: length, size: 'max' }) }
}

function oneIn(n: number): fc.Arbitrary<boolean> {
  return fc.nat(n - 1).map((drawn) => drawn === 0)
}

function weighted<T>(choices: [number, T][]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))
}

const repeat = <T>(times: number, arbitrary: fc.Arbitrary<T>) =>
  Array.from({ length: times }, () => arbitrary)
