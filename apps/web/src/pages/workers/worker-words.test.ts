import type { Worker } from '@muster/contract/workers'
import { expect, test } from 'vitest'
import { machineText, standingOf } from './worker-words.ts'

const idle = { connected: true, restarting: false, blocked: null, cordoned: null, busy: 0 } as Worker
const blocked = { code: 'disk_full' as const, reason: 'The disk is full.' }

test.each([
  ['Idle', {}],
  ['Working', { busy: 1 }],
  ['Cordoned', { cordoned: 'x' }],
  ['Draining', { cordoned: 'x', busy: 1 }],
  ['Blocked', { blocked, cordoned: 'x', busy: 1 }],
  ['Restarting', { restarting: true, blocked }],
  ['Not connected', { connected: false, restarting: true, cordoned: 'x' }],
])('%s is said of a worker with %j', (word, part) => {
  expect(standingOf({ ...idle, ...part }).word).toBe(word)
})

test('the machine of a worker is told in a few words, its graphics card only if there is one', () => {
  const machine = { cpuPercent: 29.4, cores: 8, ramTotalBytes: 32e9, ramFreeBytes: 16.04e9 }
  expect(machineText({ ...machine, vramTotalBytes: null, vramFreeBytes: null })).toBe(
    'processor 29 % busy, 16.0 GB of 32.0 GB memory free',
  )
  expect(machineText({ ...machine, vramTotalBytes: 24e9, vramFreeBytes: 4e9 })).toContain(
    '4.0 GB of 24.0 GB graphics memory free',
  )
})
