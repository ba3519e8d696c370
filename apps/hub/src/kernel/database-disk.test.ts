import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { createDatabaseDisk, whyFull, type Disk } from './database-disk.ts'

const mb = 1e6
const gb = 1_000 * mb
const disk = (freeBytes: number, totalBytes: number): Disk => ({ freeBytes, totalBytes })

test.each<[string, Disk, boolean, number | null, boolean]>([
  ['a large disk with 512 MB', disk(512 * mb, 100 * gb), false, null, false],
  ['a large disk with less', disk(511 * mb, 100 * gb), false, null, true],
  ['a small disk with 5 %', disk(100 * mb, 2 * gb), false, null, false],
  ['a small disk with less', disk(99 * mb, 2 * gb), false, null, true],
  ['one that was full and has little more', disk(520 * mb, 100 * gb), true, null, true],
  ['one that was full and has a tenth more', disk(564 * mb, 100 * gb), true, null, false],
  ['a reserve that is set', disk(1_999 * mb, 100 * gb), false, 2_000, true],
  ['a reserve that is set, also on a small disk', disk(150 * mb, 200 * mb), false, 151, true],
  ['no reserve', disk(0, 100 * gb), false, 0, false],
])('%s', (_, found, wasFull, reserveMb, isFull) => {
  expect(whyFull(found, wasFull, reserveMb) !== null).toBe(isFull)
})

test('it says how much is free and how much must be', () => {
  expect(whyFull(disk(20 * mb, 100 * gb), false, null)).toMatch(/^20 MB are free .* 512 MB must be\./)
})

function watch(dir: string | null = '/db') {
  const said: string[] = []
  const state = { free: 10 * gb }
  const say = (...words: unknown[]) => void said.push(String(words.at(-1)))
  const watched = createDatabaseDisk({
    dir,
    reserveMb: null,
    log: { info: say, warn: say },
    measure: async () => {
      if (state.free < 0) throw new Error('the disk cannot be asked')
      return disk(state.free, 100 * gb)
    },
  })
  return { ...watched, state, said }
}

test('a disk that fills is noticed once, refuses, and takes again by itself when there is room', async () => {
  const { look, mustHaveRoom, state, said, ...watched } = watch()
  await look()
  mustHaveRoom()
  state.free = mb
  await look()
  await look()
  expect(mustHaveRoom).toThrow(expect.objectContaining({ code: 'database_full', status: 503 }))
  expect(watched.whyFull()).toContain('1 MB are free')
  state.free = 10 * gb
  await look()
  mustHaveRoom()
  expect(said).toEqual([
    'the disk of the database is nearly full',
    'there is room on the disk of the database again',
  ])
})

test('a disk that cannot be asked any more stays what it was', async () => {
  const { look, whyFull: why, state } = watch()
  state.free = mb
  await look()
  state.free = -1
  await expect(look()).rejects.toThrow('cannot be asked')
  expect(why()).not.toBeNull()
})

test('a hub that cannot see the disk refuses nothing for it', async () => {
  const { look, mustHaveRoom, state } = watch(null)
  state.free = -1
  await look()
  mustHaveRoom()
})

test('a real disk is measured in its own blocks', async () => {
  const log = { info: () => {}, warn: () => {} }
  const [all, none] = [1e9, 0].map((reserveMb) => createDatabaseDisk({ dir: tmpdir(), reserveMb, log }))
  await Promise.all([all?.look(), none?.look()])
  expect([all?.whyFull() === null, none?.whyFull()]).toEqual([false, null])
})
