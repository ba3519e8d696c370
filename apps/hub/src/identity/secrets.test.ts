import { expect, test } from 'vitest'
import { createAttempts } from './attempts.ts'
import { hashPassword, hashSecret, newSecret, passwordMatches } from './secrets.ts'

test('secrets carry their kind, 256 random bits and nothing that a header or an address must escape', () => {
  const made = Array.from({ length: 500 }, () => newSecret('worker'))
  expect(new Set(made).size).toBe(500)
  for (const secret of made) expect(secret).toMatch(/^muster_worker_[\w-]{43}$/)
})

test('a hash of a secret is the same each time and of 32 bytes', () => {
  expect(hashSecret('a')).toEqual(hashSecret('a'))
  expect(hashSecret('a')).not.toEqual(hashSecret('b'))
  expect(hashSecret('a')).toHaveLength(32)
})

test('a password matches its own hash, in any Unicode form, and no other', async () => {
  const stored = await hashPassword('caf\u00e9 au lait, bien chaud')
  expect(await passwordMatches('cafe\u0301 au lait, bien chaud', stored)).toBe(true)
  expect(await passwordMatches('cafe au lait, bien chaud', stored)).toBe(false)
  expect(await hashPassword('caf\u00e9 au lait, bien chaud')).not.toBe(stored)
})

test('somebody without a password is refused whatever they say', async () => {
  for (const said of ['', 'null', 'A'.repeat(43)]) expect(await passwordMatches(said, null)).toBe(false)
})

test('ten failures in 15 minutes pause one source and no other, and time forgives them', () => {
  let now = 0
  const attempts = createAttempts(() => now)
  for (let n = 0; n < 10; n++) {
    expect(attempts.mayTry('a')).toBe(true)
    attempts.failed('a')
    now += 1_000
  }
  expect(attempts.mayTry('a')).toBe(false)
  expect(attempts.mayTry('b')).toBe(true)
  now = 15 * 60_000 - 1
  expect(attempts.mayTry('a')).toBe(false)
  now = 15 * 60_000
  expect(attempts.mayTry('a')).toBe(true)
})

test('a success forgets the failures before it', () => {
  const attempts = createAttempts(() => 0)
  for (let n = 0; n < 10; n++) attempts.failed('a')
  attempts.succeeded('a')
  expect(attempts.mayTry('a')).toBe(true)
})

test('sources beyond ten thousand push out the oldest instead of filling the memory', () => {
  const attempts = createAttempts(() => 0)
  for (let n = 0; n < 10; n++) attempts.failed('first')
  for (let n = 0; n < 10_000; n++) attempts.failed(`source ${n}`)
  expect(attempts.mayTry('first')).toBe(true)
})
