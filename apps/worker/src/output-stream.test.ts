import { expect, test } from 'vitest'
import { createOutputStream, keptBytes, type Chunk } from './output-stream.ts'

function collect(send: (batch: number, chunks: Chunk[]) => Promise<void> = async () => {}) {
  const batches: { batch: number; chunks: Chunk[] }[] = []
  const errors: unknown[] = []
  const stream = createOutputStream({
    send: async (batch, chunks) => {
      await send(batch, chunks)
      batches.push({ batch, chunks })
    },
    onError: (error) => errors.push(error),
  })
  const text = () => batches.flatMap(({ chunks }) => chunks.map((chunk) => chunk.text)).join('')
  return { stream, batches, errors, text }
}

test('what is printed within one window goes out as one batch', async () => {
  const { stream, batches } = collect()
  stream.write({ stream: 'stdout', text: 'a' })
  stream.write({ stream: 'stdout', text: 'b' })
  stream.write({ stream: 'stderr', text: 'c' })
  await stream.end()
  expect(batches).toEqual([
    {
      batch: 0,
      chunks: [
        { stream: 'stdout', text: 'ab' },
        { stream: 'stderr', text: 'c' },
      ],
    },
  ])
})

test('batches are numbered and sent one after the other, however slow the hub is', async () => {
  let sending = 0
  let most = 0
  const { stream, batches } = collect(async () => {
    most = Math.max(most, ++sending)
    await new Promise((resolve) => setTimeout(resolve, 1))
    sending--
  })
  for (let i = 0; i < 100; i++) stream.write({ stream: i % 2 === 0 ? 'stdout' : 'stderr', text: `${i} ` })
  await stream.end()
  expect(most).toBe(1)
  expect(batches.map(({ batch }) => batch)).toEqual([...batches.keys()])
  expect(batches.length).toBeGreaterThan(1)
})

test('a command may print more than is kept; the rest is counted and said', async () => {
  const { stream, text } = collect()
  stream.write({ stream: 'stdout', text: 'x'.repeat(keptBytes) })
  stream.write({ stream: 'stdout', text: 'Ω'.repeat(10) })
  stream.leftOut(5)
  stream.say('the platform still speaks')
  await stream.end()
  expect(text()).not.toContain('Ω')
  expect(text()).toContain('the platform still speaks')
  expect(text()).toContain('15 more bytes of output were left out')
})

test('a batch that cannot be sent is reported and does not stop those behind it', async () => {
  const { stream, errors, text } = collect(async (batch) => {
    if (batch === 0) throw new Error('refused')
  })
  for (let i = 0; i < 70; i++) stream.write({ stream: i % 2 === 0 ? 'stdout' : 'stderr', text: `${i} ` })
  await stream.end()
  expect(errors).toHaveLength(1)
  expect(text()).toContain('69 ')
})
