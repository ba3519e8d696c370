import { expect, test } from 'vitest'
import { createSlots } from './slots.ts'

const never = new AbortController().signal

test('gives at most as many slots as there are, and the rest in the order they were asked for', async () => {
  const slots = createSlots(1)
  const order: string[] = []
  const first = await slots.take(never)
  const others = ['a', 'b'].map((name) =>
    slots.take(never).then((release) => {
      order.push(name)
      release()
    }),
  )
  await Promise.resolve()
  expect(order).toEqual([])
  first()
  await Promise.all(others)
  expect(order).toEqual(['a', 'b'])
})

test('a run that is stopped while it waits takes no slot', async () => {
  const slots = createSlots(1)
  const release = await slots.take(never)
  const stop = new AbortController()
  const waiting = slots.take(stop.signal)
  stop.abort()
  await expect(waiting).rejects.toThrow('stopped')
  release()
  await expect(slots.take(never)).resolves.toBeTypeOf('function')
})

test('giving a slot back twice frees it once', async () => {
  const slots = createSlots(1)
  const release = await slots.take(never)
  release()
  release()
  await slots.take(never)
  const stop = new AbortController()
  const third = slots.take(stop.signal)
  stop.abort()
  await expect(third).rejects.toThrow('stopped')
})
