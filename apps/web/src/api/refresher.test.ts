import { expect, test } from 'vitest'
import { createRefresher } from './refresher.ts'
import { staleBy } from './stale-by.ts'

test('a burst of marks becomes one refresh of everything that was marked', async () => {
  const seen: string[][] = []
  const refresher = createRefresher((stale) => Promise.resolve(seen.push([...stale])), 5)
  for (let index = 0; index < 100; index += 1) refresher.mark('tasks', `task:${index % 3}`)
  await sleep(30)
  expect(seen).toEqual([['tasks', 'task:0', 'task:1', 'task:2']])
})

test('what is marked while a refresh is on its way is refreshed after it and never beside it', async () => {
  let running = 0
  let most = 0
  let refreshes = 0
  const refresher = createRefresher(async () => {
    refreshes += 1
    running += 1
    most = Math.max(most, running)
    await sleep(20)
    running -= 1
  }, 2)
  for (let index = 0; index < 10; index += 1) {
    refresher.mark('tasks')
    await sleep(5)
  }
  await sleep(60)
  expect(most).toBe(1)
  expect(refreshes).toBeGreaterThan(1)
})

test('a refresh that fails does not end the ones after it', async () => {
  let refreshes = 0
  const refresher = createRefresher(() => {
    refreshes += 1
    return refreshes === 1 ? Promise.reject(new Error('the hub is away')) : Promise.resolve()
  }, 2)
  refresher.mark('tasks')
  await sleep(10)
  refresher.mark('tasks')
  await sleep(10)
  expect(refreshes).toBe(2)
})

test('an event of a task makes its own page, the list and the workers stale', () => {
  const taskId = '0197f7a0-0000-7000-8000-00001f2e3d4c'
  expect(staleBy({ kind: 'task.phase', taskId })).toEqual(['tasks', 'workers', 'task:1f2e3d4c'])
  expect(staleBy({ kind: 'task.assigned', taskId })).toContain('queue')
  expect(staleBy({ kind: 'person.signed_in', taskId: null })).toEqual([])
})

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test('what decides why a task waits makes every task that is looked at stale, and what comes with each task does not', () => {
  expect(staleBy({ kind: 'worker.connected', taskId: null })).toEqual(['workers', 'task'])
  expect(staleBy({ kind: 'queue.paused', taskId: null })).toEqual(['queue', 'task'])
  expect(staleBy({ kind: 'repo.deactivated', taskId: null })).toEqual(['repos', 'task'])
  expect(staleBy({ kind: 'worker.state_changed', taskId: null })).toEqual(['workers'])
})
