import { expect, test } from 'vitest'
import { afterEnd, endOf, noEnds, type Closing, type End } from './backoff.ts'

function delays(ends: End[], random = () => 0.5): number[] {
  let row = noEnds
  return ends.map((end) => {
    const next = afterEnd(row, end, random)
    row = next.row
    return next.delayMs
  })
}

test('waits 1 s, 2 s, 4 s and never more than 60 s between attempts', () => {
  expect(delays(Array.from({ length: 9 }, () => 'other'))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ])
})

test('waits 250 ms, 500 ms and then 1 s while nobody is there, however long that lasts', () => {
  expect(delays(Array.from({ length: 6 }, () => 'nobody'))).toEqual([250, 500, 1_000, 1_000, 1_000, 1_000])
})

test('spreads the attempts of many workers by a quarter to each side', () => {
  expect(delays(['nobody', 'nobody', 'nobody'], () => 0)).toEqual([188, 375, 750])
  expect(delays(['nobody', 'nobody', 'nobody'], () => 1)).toEqual([313, 625, 1_250])
})

test('a hub that refuses between its restarts is asked less and less often all the same', () => {
  expect(delays(['other', 'nobody', 'other', 'nobody', 'other'])).toEqual([1_000, 250, 2_000, 500, 4_000])
})

test.each<[string, Partial<Closing>, End]>([
  ['nobody listens', { error: 'ECONNREFUSED' }, 'nobody'],
  ['a proxy took the connection and ended it', { error: 'ECONNRESET' }, 'nobody'],
  ['a proxy says that nobody listens', { status: 502 }, 'nobody'],
  ['the hub was killed', { wasOpen: true, code: 1006 }, 'nobody'],
  ['the hub was killed in the middle of a message', { wasOpen: true, code: 1006, error: 'EPIPE' }, 'nobody'],
  ['the hub stops', { wasOpen: true, code: 1001 }, 'nobody'],
  ['the hub failed', { wasOpen: true, code: 4011 }, 'other'],
  ['the hub did not let this worker in', { wasOpen: true, code: 4009 }, 'other'],
  ['the database of the hub is away', { status: 503 }, 'other'],
  ['the hub did not answer in time', { wasOpen: true, code: 1006, error: 'ETIMEDOUT' }, 'other'],
  ['the machine is not reached', { error: 'EHOSTUNREACH' }, 'other'],
  ['nothing was answered in time', {}, 'other'],
  ['the name is not known', { error: 'ENOTFOUND' }, 'other'],
])('tells by how it ended whether an attempt can burden somebody: %s', (_, how, end) => {
  expect(endOf({ code: 1006, wasOpen: false, status: undefined, error: undefined, ...how })).toBe(end)
})
