import { expect, test } from 'vitest'
import { createCpuMeter, readGraphicsMemory, watchResources } from './resources.ts'

test('the processor is as busy as its cores were since the last look', () => {
  const looks = [
    [
      { user: 100, idle: 100 },
      { user: 0, idle: 200 },
    ],
    [
      { user: 175, idle: 125 },
      { user: 0, idle: 300 },
    ],
    // A clock that did not move.
    [
      { user: 175, idle: 125 },
      { user: 0, idle: 300 },
    ],
  ]
  const meter = createCpuMeter(() => (looks.shift() ?? []).map((times) => ({ times })))
  expect([meter(), meter()]).toEqual([37.5, 0])
})

test('the memory of several cards is added up, and what is no list of cards is nothing', () => {
  expect(readGraphicsMemory('24576, 20000\n24576, 4576\n')).toEqual({
    vramTotalBytes: 49_152 * 2 ** 20,
    vramFreeBytes: 24_576 * 2 ** 20,
  })
  expect(readGraphicsMemory('[N/A], [N/A]\n')).toBeUndefined()
  expect(readGraphicsMemory('NVIDIA-SMI has failed\n')).toBeUndefined()
})

test('this machine says how it does, and nothing of a card without a program that knows', async () => {
  const look = watchResources('/nonexistent')
  const now = await look()
  expect(now).toMatchObject({ vramTotalBytes: null, vramFreeBytes: null })
  expect(now.cores).toBeGreaterThan(0)
  expect(now.ramFreeBytes).toBeGreaterThan(0)
  expect(now.ramFreeBytes).toBeLessThanOrEqual(now.ramTotalBytes)
  expect(now.cpuPercent).toBeLessThanOrEqual(100)
})
