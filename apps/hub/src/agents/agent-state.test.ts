import { agentStates, type AgentState } from '@muster/contract/workers'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { become, mayBecome, stateOf, stepsTo } from './agent-state.ts'

// From the requirement, not from the code.
const required = new Set([
  'offline idle',
  'idle assigned',
  'idle offline',
  'assigned working',
  'assigned idle',
  'assigned offline',
  'working idle',
  'working blocked',
  'working offline',
  'blocked working',
  'blocked idle',
  'blocked offline',
])
const pairs = agentStates.flatMap((from) => agentStates.map((to) => [from, to] as const))

test.each(pairs)('%s to %s is possible if and only if it is required', (from, to) => {
  const may = required.has(`${from} ${to}`)
  expect(mayBecome(from, to)).toBe(may)
  if (may) expect(become(from, to)).toBe(to)
  else expect(() => become(from, to)).toThrow(`An agent that is ${from} cannot become ${to} at once.`)
})

test.each(pairs)('from %s there is a way to %s, of allowed steps, none twice', (from, to) => {
  const way = [from, ...stepsTo(from, to)]
  expect(way.at(-1)).toBe(to)
  expect(way.slice(1).reduce(become, from)).toBe(to)
  expect(new Set(way).size).toBe(way.length)
})

test('an agent that comes back with a run was idle and assigned before it works', () => {
  expect(stepsTo('offline', 'working')).toEqual(['idle', 'assigned', 'working'])
  expect(stepsTo('offline', 'blocked')).toEqual(['idle', 'assigned', 'working', 'blocked'])
  expect(stepsTo('working', 'assigned')).toEqual(['idle', 'assigned'])
  expect(stepsTo('idle', 'idle')).toEqual([])
})

const facts = fc.record({
  connected: fc.boolean(),
  assigned: fc.nat({ max: 3 }),
  accepted: fc.nat({ max: 3 }),
  blocked: fc.boolean(),
})

test('whatever happens to an agent, its recorded history is one of allowed steps and ends at what is true', () => {
  fc.assert(
    fc.property(fc.array(facts, { maxLength: 30 }), (happenings) => {
      let state: AgentState = 'offline'
      for (const happening of happenings) {
        const to = stateOf(happening)
        for (const step of stepsTo(state, to)) state = become(state, step)
        expect(state).toBe(to)
        expect(state === 'offline').toBe(!happening.connected)
        if (happening.connected && happening.accepted > 0) expect(['working', 'blocked']).toContain(state)
        if (happening.connected && happening.accepted + happening.assigned === 0) expect(state).toBe('idle')
      }
    }),
  )
})
