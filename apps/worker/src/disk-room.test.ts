import { expect, test } from 'vitest'
import { diskOf, isNoRoom, whyNoRoom } from './disk-room.ts'

const mb = 1e6
const gib = 1024 ** 3
const blockedAt = (freeBytes: number, totalBytes: number, was = false) =>
  whyNoRoom({ freeBytes, totalBytes }, was) !== null

test.each([
  ['a small disk with 11 % free', 7.1 * mb, 64 * mb, false],
  ['a small disk with 9 % free', 5.8 * mb, 64 * mb, true],
  ['a large disk with 2 GB free, which is less than 10 %', 2 * gib, 1_000 * gib, false],
  ['a large disk with less than 1 GB free', 0.9 * gib, 1_000 * gib, true],
  ['a disk with nothing free', 0, 64 * mb, true],
])('%s: %i of %i is blocked: %s', (_, free, total, wanted) => {
  expect(blockedAt(free, total)).toBe(wanted)
})

test('a blocked worker is free again only with a tenth more than the watermark', () => {
  expect(blockedAt(1.05 * gib, 1_000 * gib, false)).toBe(false)
  expect(blockedAt(1.05 * gib, 1_000 * gib, true)).toBe(true)
  expect(blockedAt(1.11 * gib, 1_000 * gib, true)).toBe(false)
})

test('the reason says what is free and what must be', () => {
  expect(whyNoRoom({ freeBytes: 5 * mb, totalBytes: 100 * mb }, false)).toEqual({
    code: 'disk_full',
    reason: "5 MB are free on the disk of the worker's data, 10 MB must be.",
  })
})

test('the disk of a directory is seen, and a full one is told from other failures', async () => {
  const disk = await diskOf('/')
  expect(disk.freeBytes).toBeGreaterThan(0)
  expect(disk.totalBytes).toBeGreaterThan(disk.freeBytes)
  expect(isNoRoom(Object.assign(new Error('full'), { code: 'ENOSPC' }))).toBe(true)
  expect(isNoRoom(Object.assign(new Error('not yours'), { code: 'EACCES' }))).toBe(false)
})
