import { expect, test } from 'vitest'
import type { Actor } from '../kernel/actor.ts'
import { createRemembered } from './remembered.ts'
import { hashSecret } from './secrets.ts'

const person = (credentialId: string): Actor => ({
  kind: 'person',
  workspaceId: 'w',
  id: 'p',
  label: 'owner',
  credentialId,
})

function remember() {
  let at = 0
  const remembered = createRemembered(() => at)
  return { ...remembered, pass: (ms: number) => void (at += ms) }
}

const minute = 60_000

test('who was confirmed is known for five minutes after the last time, and nobody else is', () => {
  const known = remember()
  known.note(hashSecret('a'), person('1'))
  known.pass(4 * minute)
  expect(known.recall(hashSecret('a'))).toEqual(person('1'))
  expect(known.recall(hashSecret('b'))).toBeUndefined()
  known.note(hashSecret('a'), person('1'))
  known.pass(5 * minute)
  expect(known.recall(hashSecret('a'))).toEqual(person('1'))
  known.pass(1)
  expect(known.recall(hashSecret('a'))).toBeUndefined()
})

test('a worker is not remembered: its token stops nothing', () => {
  const known = remember()
  known.note(hashSecret('a'), { ...person('1'), kind: 'worker' })
  expect(known.recall(hashSecret('a'))).toBeUndefined()
})

test('a credential that has ended is forgotten under each secret, and no other is', () => {
  const known = remember()
  known.note(hashSecret('a'), person('1'))
  known.note(hashSecret('b'), person('2'))
  expect(known.credentialIds()).toEqual(['1', '2'])
  known.forget(new Set(['1']))
  expect(known.recall(hashSecret('a'))).toBeUndefined()
  expect(known.recall(hashSecret('b'))).toEqual(person('2'))
})

test('a thousand are kept, and those used last stay', () => {
  const known = remember()
  for (let n = 0; n < 1_000; n++) known.note(hashSecret(`${n}`), person(`${n}`))
  known.note(hashSecret('0'), person('0'))
  known.note(hashSecret('new'), person('new'))
  expect(known.recall(hashSecret('0'))).toBeDefined()
  expect(known.recall(hashSecret('1'))).toBeUndefined()
  expect(known.credentialIds()).toHaveLength(1_000)
})
