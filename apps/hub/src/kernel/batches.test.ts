import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createBatches, type Outcome } from './batches.ts'
import { MusterError } from './errors.ts'

const done = (value: string): Outcome<string> => ({ status: 'fulfilled', value })
const refused = (reason: unknown): Outcome<string> => ({ status: 'rejected', reason })

function recorded(
  work: (inputs: string[]) => Outcome<string>[] = (inputs) => inputs.map(done),
  { most = 100, atOnce = 1, ms = 5 } = {},
) {
  const pieces: string[] = []
  const call = createBatches<string, string>({
    most,
    atOnce,
    work: async (key, inputs) => {
      pieces.push(`${key}:${inputs.join('')}`)
      await sleep(ms)
      return work(inputs)
    },
  })
  return {
    pieces,
    call,
    all: (key: string, text: string) => Promise.allSettled([...text].map((c) => call(key, c))),
  }
}

test('calls of one moment are one piece of work and each gets its own answer', async () => {
  const { pieces, all } = recorded()
  expect(await all('w', 'abc')).toEqual(['a', 'b', 'c'].map(done))
  expect(pieces).toEqual(['w:abc'])
})

test('what arrives meanwhile is the next piece, and no piece is larger than allowed', async () => {
  const { pieces, call, all } = recorded(undefined, { most: 3 })
  const first = call('w', 'a')
  await sleep(1)
  await Promise.all([first, all('w', 'bcdef')])
  expect(pieces).toEqual(['w:a', 'w:bcd', 'w:ef'])
})

test('as many pieces of one key as allowed are under way, and other keys do not wait for them', async () => {
  const { pieces, all } = recorded(undefined, { most: 1, atOnce: 2, ms: 20 })
  const began = performance.now()
  await Promise.all([all('w', 'abcd'), all('v', 'e')])
  expect(pieces).toEqual(['w:a', 'w:b', 'v:e', 'w:c', 'w:d'])
  expect(performance.now() - began).toBeLessThan(75)
})

test('one that is refused does not change the answers of the others', async () => {
  const no = new Error('no')
  const { pieces, all } = recorded((inputs) =>
    inputs.map((each) => (each === 'b' ? refused(no) : done(each))),
  )
  expect(await all('w', 'abc')).toEqual([done('a'), refused(no), done('c')])
  expect(pieces).toEqual(['w:abc'])
})

test('when a piece fails its calls are done one by one, so that only the one at fault fails', async () => {
  const { pieces, all } = recorded((inputs) => {
    if (inputs.includes('b')) throw new Error('deadlock')
    return inputs.map(done)
  })
  const answers = await all('w', 'abc')
  expect(answers.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(pieces).toEqual(['w:abc', 'w:a', 'w:b', 'w:c'])
})

test('a database that is away is not asked again for each of them', async () => {
  const away = new MusterError('database_unavailable', 'away')
  const { pieces, all } = recorded(() => {
    throw away
  })
  expect(await all('w', 'abc')).toEqual([refused(away), refused(away), refused(away)])
  expect(pieces).toEqual(['w:abc'])
})

test('calls of one name keep their order and never share a piece, while others go on', async () => {
  const pieces: string[] = []
  const held = Promise.withResolvers<void>()
  const call = createBatches<string, string>({
    most: 10,
    atOnce: 2,
    apart: (input) => input[0] ?? '',
    work: async (_, inputs) => {
      pieces.push(inputs.join(' '))
      if (inputs.includes('a1')) await held.promise
      return inputs.map(done)
    },
  })
  const first = Promise.all(['a1', 'a2', 'b1', 'a3', 'b2'].map((each) => call('w', each)))
  while (pieces.length === 0) await sleep(1)
  // Ends although the first piece is still under way.
  await call('w', 'c1')
  held.resolve()
  await first
  expect(pieces).toEqual(['a1 b1', 'c1', 'a2 b2', 'a3'])
})

test('a piece that answers too few leaves no caller waiting', async () => {
  const { all } = recorded(() => [done('a')])
  expect((await all('w', 'ab')).map((each) => each.status)).toEqual(['fulfilled', 'rejected'])
})
