import { randomUUID } from 'node:crypto'
import type { Assignment, RunResult } from '@muster/contract/wire'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Request } from './connection.ts'
import { holdRun, keyOf, type HeldRun } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import { createLeaseKeeper } from './leases.ts'
import { createLog } from './log.ts'
import { WireError } from './wire-error.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A keeper whose hub answers every renewal, or none. */
function keep(runs: HeldRun[], answers: boolean | (() => boolean)) {
  const renewed: string[][] = []
  const request = (message: Request) => {
    if (message.type === 'renew') renewed.push(message.leases.map(keyOf))
    const reply = { type: 'reply' as const, to: 1, ok: true }
    if (typeof answers === 'function') {
      const away = new WireError('database_unavailable', 'not now')
      return answers() ? Promise.resolve(reply) : Promise.reject(away)
    }
    return answers ? Promise.resolve(reply) : new Promise<never>(() => {})
  }
  const link = () => ({ request }) as unknown as HubLink
  const held = new Map(runs.map((run) => [keyOf(run.assignment), run]))
  const keeper = createLeaseKeeper({ held, link, log: createLog('error'), now: () => performance.now() })
  keeper.start(9_000)
  for (const run of runs) run.leaseUntil = keeper.until()
  return renewed
}

function run(phase: HeldRun['phase'], result: RunResult | null = null): HeldRun {
  const assignment = { taskId: randomUUID(), epoch: 1, runId: randomUUID() } as Assignment
  return Object.assign(holdRun(assignment, 0), { phase, result })
}

test('a lease is renewed until the run has nothing more to tell', async () => {
  const runs = [run('running'), run('publishing', {} as RunResult), run('finished'), run('lost')]
  const renewed = keep(runs, true)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(renewed).toHaveLength(6)
  expect(new Set(renewed.flat())).toEqual(new Set(runs.slice(0, 2).map((each) => keyOf(each.assignment))))
  expect(runs.some((each) => each.stop.signal.aborted)).toBe(false)
})

test('a run whose renewals are not answered is stopped by this clock, one that only has to be delivered is not', async () => {
  const [running, telling, finished] = [
    run('running'),
    run('publishing', {} as RunResult),
    run('finished', {} as RunResult),
  ]
  keep([running, telling, finished], false)
  await vi.advanceTimersByTimeAsync(8_900)
  expect(running.stop.signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(600)
  expect([running, telling, finished].map((each) => each.stop.signal.reason as unknown)).toEqual([
    'lease_lost',
    'lease_lost',
    undefined,
  ])
})

test('two renewals that the hub could not write cost nothing, a third one the lease', async () => {
  let answers = true
  const held = run('running')
  keep([held], () => answers)
  await vi.advanceTimersByTimeAsync(3_000)
  answers = false
  await vi.advanceTimersByTimeAsync(8_000)
  expect(held.stop.signal.aborted).toBe(false)
  answers = true
  await vi.advanceTimersByTimeAsync(8_000)
  expect(held.stop.signal.aborted).toBe(false)
  answers = false
  await vi.advanceTimersByTimeAsync(10_000)
  expect(held.stop.signal.reason).toBe('lease_lost')
})
