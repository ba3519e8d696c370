import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryJudge } from './memory.ts'

const verdicts = (ceiling: number, looks: number[]) => looks.map(createMemoryJudge(ceiling))

test('three looks in a row above the ceiling ask for one restart', () => {
  expect(verdicts(200, [100, 201, 202, 203, 204])).toEqual(['fine', 'fine', 'fine', 'restart', 'fine'])
})

test('memory that is given back in between asks for none', () => {
  expect(verdicts(200, [100, 201, 202, 199, 201, 202, 200])).not.toContain('restart')
})

test('a process that was never below its ceiling is not restarted again and again', () => {
  const said = verdicts(
    200,
    Array.from({ length: 30 }, () => 300),
  )
  expect(said.indexOf('restart_would_not_help')).toBe(11)
  expect(said.filter((verdict) => verdict !== 'fine')).toHaveLength(1)
})

test('what a start needs and gives back within a minute is held against nobody', () => {
  expect(verdicts(200, [300, 300, 300, 300, 300, 150, 160])).not.toContain('restart_would_not_help')
  expect(verdicts(200, [300, 300, 300, 150, 201, 202, 203])).toContain('restart')
})

test('whatever the looks are, at most one of them asks for anything, and none at or below the ceiling does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400)), (looks) => {
      const said = verdicts(200, looks)
      expect(said.filter((verdict) => verdict !== 'fine').length).toBeLessThanOrEqual(1)
      said.forEach((verdict, at) => verdict !== 'fine' && expect(looks[at]).toBeGreaterThan(200))
    }),
  )
})
