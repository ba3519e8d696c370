import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MusterError } from '../kernel/errors.ts'
import { orWithoutDatabase } from './without-database.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const away = new MusterError('database_unavailable', 'away')
const never = () => new Promise<never>(() => {})
const later =
  <T>(ms: number, value: T) =>
  () =>
    new Promise<T>((resolve) => setTimeout(() => resolve(value), ms))

/** How it ended, when, and how often workers were told. */
async function play(verb: () => Promise<string>, told: number | undefined = 2) {
  const began = Date.now()
  let times = 0
  const instead = () => {
    times += 1
    return told
  }
  const ended = orWithoutDatabase(verb, instead).then(
    (value) => ({ value, ms: Date.now() - began }),
    (error: MusterError) => ({ code: error.code, message: error.message, ms: Date.now() - began }),
  )
  await vi.advanceTimersByTimeAsync(10_000)
  return { ...(await Promise.race([ended, Promise.resolve({ value: 'nothing yet', ms: -1 })])), times }
}

test('a database that answers is believed, and nobody is told on the side', async () => {
  expect(await play(later(900, 'done'))).toEqual({ value: 'done', ms: 900, times: 0 })
  const refusal = () => Promise.reject(new MusterError('unauthenticated', 'who?'))
  expect(await play(refusal)).toMatchObject({ code: 'unauthenticated', times: 0 })
})

test('while the database is gone workers are told at once, and the answer says that nothing is recorded', async () => {
  const answer = await play(() => Promise.reject(away))
  expect(answer).toMatchObject({ code: 'stopped_unrecorded', ms: 0, times: 1 })
  expect((answer as { message: string }).message).toContain('2 workers were told to stop')
})

test('while the database is silent workers are told after one second and the answer comes after three', async () => {
  expect(await play(never)).toMatchObject({ code: 'stopped_unrecorded', ms: 3_000, times: 1 })
})

test('a database that is only slow still has the last word', async () => {
  expect(await play(later(2_500, 'done'))).toEqual({ value: 'done', ms: 2_500, times: 1 })
})

test('somebody who is not remembered is answered by the database or not at all', async () => {
  const unknown = orWithoutDatabase(
    () => Promise.reject(away),
    () => undefined,
  )
  await expect(unknown).rejects.toBe(away)
})

test('a hub without a worker does not claim to have told one', async () => {
  const answer = await play(() => Promise.reject(away), 0)
  expect((answer as { message: string }).message).toContain('within 10 s')
})
