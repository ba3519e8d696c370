import { expect, test } from 'vitest'
import { pageAfter, pageOf } from './cursor.ts'
import { isId, newId } from './ids.ts'

test('a page says where the next one starts only when there is a next one', () => {
  const rows = ['c', 'b', 'a'].map((id) => ({ id }))
  const id = (row: { id: string }) => row.id
  expect(pageOf(rows, 2, id)).toEqual({ items: ['c', 'b'], nextCursor: 'b' })
  expect(pageOf(rows, 3, id)).toEqual({ items: ['c', 'b', 'a'], nextCursor: null })
  expect(pageOf([], 3, id)).toEqual({ items: [], nextCursor: null })
})

test('the first page starts behind every id', () => {
  expect(pageAfter(undefined) > newId()).toBe(true)
})

const id = newId()
test.each(['', 'x', `${id} `, id.toUpperCase(), `'${id}`, id.slice(1), `00000000${'-'.repeat(28)}`])(
  'the cursor %j is refused',
  (cursor) => {
    expect(() => pageAfter(cursor)).toThrow('is not one that this list gave out')
    expect(isId(cursor)).toBe(false)
  },
)

test('ids sort by the time they were made', () => {
  const ids = Array.from({ length: 1_000 }, newId)
  expect(ids.toSorted()).toEqual(ids)
  expect(ids.every(isId)).toBe(true)
})
