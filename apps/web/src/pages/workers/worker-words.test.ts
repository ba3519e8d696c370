import type { Worker } from '@muster/contract/workers'
import { expect, test } from 'vitest'
import { standingOf } from './worker-words.ts'

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
