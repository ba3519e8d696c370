import type { Assignment } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { holdRun, type HeldRun } from './held-run.ts'
import { createHolding } from './holding.ts'
import { createLog } from './log.ts'

const never = new AbortController().signal

/** Holds a run that ends when `end` is called or when it is stopped. */
function hold(
  holding: ReturnType<typeof createHolding>,
  taskId: string,
  phase: HeldRun['phase'] = 'running',
) {
  const run = holdRun({ taskId, epoch: 1 } as Assignment, 0)
  run.phase = phase
  let end = () => {}
  holding.hold(
    run,
    () =>
      new Promise((resolve) => {
        end = resolve
        run.stop.signal.addEventListener('abort', () => resolve())
      }),
  )
  return { run, end: () => end() }
}

test('what ends within the grace is not stopped', async () => {
  const holding = createHolding(createLog('silent'))
  const [one, two] = [hold(holding, 'a'), hold(holding, 'b')]
  setTimeout(one.end, 20)
  setTimeout(two.end, 60)
  await holding.drain(5_000, never)
  expect([one, two].map(({ run }) => run.stop.signal.aborted)).toEqual([false, false])
  expect(holding.held.size).toBe(0)
})

test('what has not ended after the grace is stopped for the restart; a result that waits for the hub is left alone', async () => {
  const holding = createHolding(createLog('silent'))
  const running = hold(holding, 'a')
  const finished = hold(holding, 'b', 'finished')
  const began = performance.now()
  await holding.drain(100, never)
  expect(performance.now() - began).toBeGreaterThan(90)
  expect(running.run.stop.signal.reason).toBe('restart')
  expect(finished.run.stop.signal.aborted).toBe(false)
  expect([...holding.held.values()]).toEqual([finished.run])
})

test('whoever is in a hurry does not wait for the grace', async () => {
  const holding = createHolding(createLog('silent'))
  const { run } = hold(holding, 'a')
  const hurry = new AbortController()
  setTimeout(() => hurry.abort(), 50)
  await holding.drain(60_000, hurry.signal)
  expect(run.stop.signal.reason).toBe('restart')
})

test('runs that an earlier process lost keep nobody waiting', async () => {
  const holding = createHolding(createLog('silent'))
  const lost = holdRun({ taskId: 'a', epoch: 1 } as Assignment, 0)
  lost.phase = 'lost'
  holding.held.set('a:1', lost)
  await holding.drain(60_000, never)
  expect(lost.stop.signal.aborted).toBe(false)
})
