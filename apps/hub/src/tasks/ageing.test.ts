import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { raise, type Waits } from './ageing.ts'
import { ageing } from './limits.ts'

const [urgent, high, normal, low] = [0, 1, 2, 3]
const min = 60_000
const fresh: Waits = { lane: normal, inLaneMs: 0, dueInMs: null, neededBy: 0, raisedForOthers: false }

test.each<[string, Partial<Waits>, number | undefined]>([
  ['a task that has just come', {}, undefined],
  ['a low one after not quite 10 min', { lane: low, inLaneMs: 10 * min - 1 }, undefined],
  ['a low one after 10 min', { lane: low, inLaneMs: 10 * min }, normal],
  ['a normal one after not quite 20 min', { inLaneMs: 20 * min - 1 }, undefined],
  ['a normal one after 20 min', { inLaneMs: 20 * min }, high],
  ['a high one after a year', { lane: high, inLaneMs: 365 * 24 * 60 * min }, undefined],
  ['one that is due in 10 min', { lane: low, dueInMs: 10 * min }, urgent],
  ['one that is due in more than 10 min', { lane: low, dueInMs: 10 * min + 1 }, undefined],
  ['one that is overdue', { lane: high, dueInMs: -1 }, urgent],
  ['an urgent one that is due', { lane: urgent, dueInMs: 0, neededBy: 9 }, undefined],
  ['one that two others wait for', { neededBy: 2 }, undefined],
  ['one that three others wait for', { neededBy: 3 }, high],
  ['a high one that three others wait for', { lane: high, neededBy: 3 }, urgent],
  ['one that was raised for others before', { neededBy: 3, raisedForOthers: true }, undefined],
  ['one that is old and needed', { lane: low, inLaneMs: 10 * min, neededBy: 3 }, normal],
  ['one that is due, old and needed', { lane: low, inLaneMs: 60 * min, neededBy: 3, dueInMs: 0 }, urgent],
])('%s goes to the right lane or stays', (_, more, to) => {
  expect(raise({ ...fresh, ...more }, ageing)?.to).toBe(to)
})

const waits: fc.Arbitrary<Waits> = fc.record({
  lane: fc.integer({ min: urgent, max: low }),
  inLaneMs: fc.integer({ min: -min, max: 100 * min }),
  dueInMs: fc.option(fc.integer({ min: -min, max: 30 * min })),
  neededBy: fc.nat(6),
  raisedForOthers: fc.boolean(),
})

test('no task is ever lowered, and none becomes urgent by its age', () => {
  fc.assert(
    fc.property(waits, (task) => {
      const raised = raise(task, ageing)
      if (raised === undefined) return
      expect(raised.to).toBeLessThan(task.lane)
      expect(raised.to).toBeGreaterThanOrEqual(urgent)
      if (raised.because === 'age') expect(raised.to).toBeGreaterThanOrEqual(high)
    }),
  )
})

test('whatever happens to a task while it waits, it is raised three times at most, and for others once', () => {
  fc.assert(
    fc.property(
      fc.array(waits, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 0, max: 3 }),
      (seen, start) => {
        let lane = start
        const because: string[] = []
        for (const facts of seen) {
          const raisedForOthers = because.includes('needed')
          const raised = raise({ ...facts, lane, raisedForOthers }, ageing)
          if (raised === undefined) continue
          because.push(raised.because)
          lane = raised.to
        }
        expect(because.length).toBeLessThanOrEqual(3)
        expect(because.filter((each) => each === 'needed').length).toBeLessThanOrEqual(1)
      },
    ),
  )
})

test('a task that has waited longer is never in a lower lane than the same one that has waited less', () => {
  fc.assert(
    fc.property(waits, fc.nat(60 * min), (task, more) => {
      const laneOf = (each: Waits) => raise(each, ageing)?.to ?? each.lane
      expect(laneOf({ ...task, inLaneMs: task.inLaneMs + more })).toBeLessThanOrEqual(laneOf(task))
    }),
  )
})
