import type { Page } from 'playwright-core'
import { beforeEach, expect, test } from 'vitest'
import { Refusal } from './fake-hub.ts'
import { addWorker } from './seed.ts'
import { setStage } from './stage.ts'

const stage = setStage()
const { hub } = stage
beforeEach(() => {
  Object.assign(hub, { tasks: [], workers: [], events: [], calls: [], paused: false })
  hub.stubborn.clear()
  addWorker(hub)
})

const strip = (page: Page) => page.getByRole('region', { name: 'Queue' })
const called = (name: string) => hub.calls.filter((call) => call.name === name)

test('the strip tells what runs, what is queued and what is dead, and follows without a reload', async () => {
  hub.addTask({ title: 'Now', state: 'running', worker: 'local' })
  const queued = hub.addTask({ title: 'Then', lane: 'urgent' })
  hub.addTask({ title: 'No more', state: 'dead', ending: 'lost' })
  const page = await stage.enter()
  await strip(page).getByText('Queue open').waitFor()
  await strip(page).getByText('1 of at most 20').waitFor()
  await strip(page).getByText('(1 urgent)').waitFor()
  hub.change(queued, { state: 'running' }, 'task.assigned')
  await strip(page).getByText('2 of at most 20').waitFor()
  await strip(page).getByRole('link', { name: '1' }).click()
  expect(page.url()).toBe(`${hub.url}/?state=dead`)
  await page.getByRole('link', { name: 'No more' }).waitFor()
})

test('pause and resume are one key each, and what is shown is what the hub says', async () => {
  const page = await stage.enter()
  await strip(page).getByRole('button', { name: 'Pause' }).focus()
  await page.keyboard.press('Enter')
  await strip(page).getByText('Paused: nothing is assigned').waitFor()
  expect(hub.paused).toBe(true)
  await strip(page).getByRole('button', { name: 'Resume' }).press('Enter')
  await strip(page).getByText('Queue open').waitFor()
  expect(hub.paused).toBe(false)
  hub.refusals.set('pauseQueue', new Refusal('forbidden', 'This token may not pause.'))
  await strip(page).getByRole('button', { name: 'Pause' }).click()
  await strip(page).getByText('This token may not pause.').waitFor()
})

test('somebody else who pauses the queue is seen at once', async () => {
  const page = await stage.enter()
  await page.getByText('Live', { exact: true }).waitFor()
  hub.paused = true
  hub.event('queue.paused', null)
  await strip(page).getByText('Paused: nothing is assigned').waitFor()
})

test('stopping everything says what will happen, and does it only when it is confirmed', async () => {
  const task = hub.addTask({ title: 'Wild', state: 'running', worker: 'local' })
  const page = await stage.enter()
  const ask = strip(page).getByRole('button', { name: 'Stop everything' })
  await ask.click()
  const dialog = page.getByRole('dialog', { name: 'Stop everything?' })
  await dialog.getByText('1 run is killed now').waitFor()
  await dialog.getByText('No task is lost').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  expect([task.state, called('stopQueue')]).toEqual(['running', []])
  expect(await ask.evaluate('document.activeElement?.textContent')).toBe('Stop everything')
  await ask.click()
  await dialog.getByRole('button', { name: 'Stop everything' }).click()
  await strip(page).getByText('Paused: nothing is assigned').waitFor()
  expect(task.state).toBe('queued')
  await page.getByRole('row', { name: /Wild/ }).getByText('Queued').waitFor()
})

test('dead tasks are retried in bulk, as many as the question said, and only those of the repository', async () => {
  hub.repos = []
  hub.addRepo('shop', '/srv/shop')
  for (let index = 0; index < 5; index += 1)
    hub.addTask({ title: `Dead ${index}`, repo: 'shop', state: 'dead', ending: 'lost' })
  const other = hub.addTask({ title: 'Elsewhere', repo: 'docs', state: 'dead', ending: 'lost' })
  const page = await stage.enter()
  await page.goto(`${hub.url}/?state=dead&repo=shop`)
  await page.getByRole('button', { name: 'Retry all' }).click()
  const dialog = page.getByRole('dialog', { name: 'Retry 5 dead tasks of shop?' })
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  expect(called('retryTasks')).toEqual([])
  await page.getByRole('button', { name: 'Retry all' }).click()
  await dialog.getByRole('button', { name: 'Retry all' }).click()
  await page.getByText('5 tasks queued again.').waitFor()
  expect(other.state).toBe('dead')
  expect(await page.getByRole('button', { name: 'Retry all' }).count()).toBe(0)
})

test('dead tasks are deleted in bulk, and one that is refused is named and stays', async () => {
  const kept = hub.addTask({ title: 'Needed', state: 'dead', ending: 'lost' })
  hub.addTask({ title: 'Not needed', state: 'dead', ending: 'lost' })
  hub.stubborn.add(kept.id)
  const page = await stage.enter()
  await page.goto(`${hub.url}/?state=dead`)
  await page.getByRole('button', { name: 'Delete all' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete 2 dead tasks?' })
  await dialog.getByText('Nothing brings them back').waitFor()
  await dialog.getByRole('button', { name: 'Keep them' }).click()
  expect(hub.tasks).toHaveLength(2)
  await page.getByRole('button', { name: 'Delete all' }).click()
  await dialog.getByRole('button', { name: 'Delete all' }).click()
  await page.getByText('1 task deleted. 1 task could not be.').waitFor()
  await page.getByText('Other tasks name this one in "after".').waitFor()
  await page.getByRole('link', { name: 'Not needed' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Needed', exact: true }).waitFor()
})

test('a task tells why it waits, how often it was tried and when it is tried next', async () => {
  const notBefore = new Date(Date.now() + 90_000).toISOString()
  const task = hub.addTask({ title: 'Flaky', attempt: 1, failures: 1, retries: 3, notBefore })
  task.reason = `Try 1 of 4 ended as timed_out: Too slow; next try not before ${notBefore}.`
  const page = await stage.enter()
  await page.getByRole('row', { name: /Flaky/ }).getByText('next try in 1m').waitFor()
  await page.getByRole('link', { name: 'Flaky' }).click()
  // The time of day, and no zone or milliseconds.
  await page
    .getByLabel('State of the task')
    .getByText(/^Try 1 of 4 ended as timed_out: Too slow; next try not before \d\d:\d\d:\d\d\.$/)
    .waitFor()
  await page.getByText('1; 1 of 3 retries used').waitFor()
  await page.getByText(/^in 1m/).waitFor()
  hub.change(task, { notBefore: null, reason: 'No worker is connected.' }, 'task.requeued')
  await page.getByLabel('State of the task').getByText('No worker is connected.').waitFor()
})

test('why a task waits is read again when the queue is paused, although nothing happened to the task', async () => {
  const task = hub.addTask({ title: 'Patient', reason: 'About to start.' })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Patient' }).click()
  const state = page.getByLabel('State of the task')
  await state.getByText('About to start.').waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  task.reason = 'The queue is paused.'
  hub.event('queue.paused', null)
  await state.getByText('The queue is paused.').waitFor()
})

test('a task tells why it went where it went, with every candidate and why not', async () => {
  const candidates = [
    { worker: 'local', free: 2, fits: true, why: 'chosen' },
    { worker: 'attic', free: 1, fits: false, why: 'does not have gpu' },
  ]
  const reason = 'Given to local: of 2 workers with a free slot only it fits.'
  const assigned = { worker: 'local', reason, candidates, at: new Date().toISOString() }
  const task = hub.addTask({ title: 'Chosen', state: 'running', worker: 'local', needs: ['gpu'], assigned })
  hub.event('task.retrying', task, { reason: 'The command exited with 3.', delayMs: 2_000 })
  hub.event('task.lane_raised', task, { from: 'low', to: 'normal', why: 'It has waited for 10 min.' })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Chosen' }).click()
  const panel = page.getByRole('region', { name: 'Chosen because' })
  await panel.getByText(reason).waitFor()
  await panel.getByRole('listitem').filter({ hasText: 'attic' }).getByText('does not have gpu').waitFor()
  const history = page.getByRole('region', { name: 'History' })
  await history.getByText('Failed, to be tried again').waitFor()
  await history.getByText('It has waited for 10 min. · normal').waitFor()
  await history.getByText('next try after 2.0s').waitFor()
  expect(called('taskHistory').length).toBeGreaterThan(0)
})

test('a worker is cordoned with a reason, uncordoned and stopped, each after what it means was said', async () => {
  const task = hub.addTask({ title: 'On it', state: 'running', worker: 'local' })
  const page = await stage.enter()
  await page.getByRole('link', { name: /1 of 1 workers connected/ }).click()
  await page.getByRole('heading', { name: 'Workers' }).waitFor()
  const worker = page.getByRole('listitem', { name: 'local' })
  await worker.getByText('Working').waitFor()
  await worker.getByRole('button', { name: 'Cordon' }).click()
  const cordon = page.getByRole('dialog', { name: 'Cordon local?' })
  await cordon.getByText('What it runs goes on: 1 task.').waitFor()
  await cordon.getByLabel('Reason (optional)').fill('new disk')
  await cordon.getByRole('button', { name: 'Cordon' }).click()
  await worker.getByText('Draining').waitFor()
  await worker.getByText('Gets no new task: new disk').waitFor()
  await worker.getByRole('button', { name: 'Uncordon' }).click()
  await worker.getByText('Working').waitFor()
  await worker.getByRole('button', { name: 'Stop' }).click()
  const stop = page.getByRole('dialog', { name: 'Stop local?' })
  await stop.getByText('1 run there is killed now').waitFor()
  await stop.getByRole('button', { name: 'Leave it' }).click()
  expect(task.state).toBe('running')
  await worker.getByRole('button', { name: 'Stop' }).click()
  await stop.getByRole('button', { name: 'Stop' }).click()
  await worker.getByText('Cordoned', { exact: true }).waitFor()
  expect(task.state).toBe('queued')
  expect(called('stopWorker').map(({ body }) => body)).toEqual([{}])
})

test('restart is offered only where somebody would start the worker again', async () => {
  addWorker(hub, 'attic')
  Object.assign(hub.workers[0] as object, { supervisor: { kind: 'none' } })
  Object.assign(hub.workers[1] as object, { supervisor: { kind: 'systemd', name: 'muster-worker' } })
  const page = await stage.enter()
  await page.goto(`${hub.url}/workers`)
  const attic = page.getByRole('listitem', { name: 'attic' })
  await attic.getByText('systemd muster-worker').waitFor()
  expect(await page.getByRole('button', { name: 'Restart' }).count()).toBe(1)
  await attic.getByRole('button', { name: 'Restart' }).click()
  await page.getByRole('dialog', { name: 'Restart attic?' }).getByRole('button', { name: 'Restart' }).click()
  await attic.getByText('Restarting').waitFor()
})
