import { expect, test } from 'vitest'
import { setStage } from './stage.ts'
import { addWorker } from './seed.ts'

const stage = setStage()
const { hub } = stage

test('an empty list says the commands that fill it', async () => {
  const page = await stage.enter()
  await page.getByText('npx muster repo add demo').waitFor()
  await page.getByText('npx muster task add --repo demo').waitFor()
})

test('no worker and a broken wall are warned about, with what fixes them', async () => {
  const page = await stage.enter()
  await page.getByText('No worker is connected').waitFor()
  addWorker(hub, 'local', false)
  hub.event('worker.connected', null)
  await page.getByText('local: the namespace wall does not work.').waitFor()
  await page.getByText('sudo sysctl -w kernel.unprivileged_userns_clone=1').waitFor()
  await page.getByRole('link', { name: /1 of 1 workers connected.*needs attention/ }).waitFor()
})

test('a task appears and changes its state without a reload', async () => {
  const page = await stage.enter()
  const task = hub.addTask({ title: 'Seen at once' })
  const row = page.getByRole('row', { name: /Seen at once/ })
  await row.getByText('Queued').waitFor()
  hub.change(task, {
    state: 'running',
    phase: 'verifying',
    worker: 'local',
    startedAt: new Date().toISOString(),
  })
  await row.getByText('Running').waitFor()
  await row.getByText('Verifying').waitFor()
  hub.change(
    task,
    { state: 'done', ending: 'verified', phase: null, endedAt: new Date().toISOString() },
    'task.done',
  )
  await row.getByText('Done').waitFor()
})

test('a burst of five hundred events costs at most a handful of reads and ends in the last state', async () => {
  const task = hub.addTask({ title: 'Busy task', state: 'running' })
  const page = await stage.enter()
  await page
    .getByRole('status')
    .getByText('Live')
    .or(page.getByText('Live', { exact: true }))
    .first()
    .waitFor()
  await page.waitForTimeout(600)
  hub.calls.length = 0
  const started = Date.now()
  for (let index = 0; index < 500; index += 1) hub.change(task, { attempt: index })
  hub.change(task, { state: 'dead', ending: 'stalled' }, 'task.dead')
  await page
    .getByRole('row', { name: /Busy task/ })
    .getByText('Stalled')
    .waitFor()
  const seconds = (Date.now() - started) / 1_000
  expect(hub.calls.filter(({ name }) => name === 'listTasks').length).toBeLessThanOrEqual(4 * seconds + 2)
})

test('older tasks are loaded by asking, and each is shown once', async () => {
  for (let index = 0; index < 120; index += 1) hub.addTask({ title: `Numbered ${index}`, repo: 'many' })
  const page = await stage.enter()
  await page.goto(`${hub.url}/?repo=many`)
  const rows = page.getByRole('link', { name: /^Numbered/ })
  await expect.poll(() => rows.count()).toBe(50)
  await page.getByRole('button', { name: 'Load more' }).click()
  await expect.poll(() => rows.count()).toBe(100)
  await page.getByRole('button', { name: 'Load more' }).click()
  await expect.poll(() => rows.count()).toBe(120)
  expect(await page.getByRole('button', { name: 'Load more' }).isVisible()).toBe(false)
  expect(new Set(await rows.allTextContents()).size).toBe(120)
})

test('the filter is in the address and survives a reload', async () => {
  hub.addRepo('only-here', '/srv/only-here')
  hub.addTask({ title: 'Proven one', repo: 'only-here', state: 'done' })
  hub.addTask({ title: 'Dead one', repo: 'only-here', state: 'dead' })
  const page = await stage.enter()
  await page.getByRole('navigation', { name: 'State' }).getByRole('link', { name: 'Dead' }).click()
  await page.getByLabel('Repository').selectOption('only-here')
  await page.getByRole('link', { name: 'Dead one' }).waitFor()
  expect(await page.getByRole('link', { name: 'Proven one' }).count()).toBe(0)
  expect(page.url()).toBe(`${hub.url}/?state=dead&repo=only-here`)
  await page.reload()
  await page.getByRole('link', { name: 'Dead one' }).waitFor()
  expect(await page.getByRole('link', { name: 'Dead', exact: true }).getAttribute('aria-current')).toBe(
    'page',
  )
})

test('j, k, Enter, Escape, c and ? do the whole way without a pointer', async () => {
  const second = hub.addTask({ title: 'Second by key' })
  const first = hub.addTask({ title: 'First by key' })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'First by key' }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Second by key' }).waitFor()
  expect(page.url()).toContain(second.short)
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'First by key' }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'First by key' }).waitFor()
  expect(page.url()).toContain(first.short)
  await page.keyboard.press('c')
  await page.getByRole('heading', { name: 'New task' }).waitFor()
  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await help.waitFor()
  await page.keyboard.press('c')
  await page.keyboard.press('Escape')
  await help.waitFor({ state: 'hidden' })
  await page.getByRole('heading', { name: 'New task' }).waitFor()
})

test('single-key shortcuts can be switched off and stay off', async () => {
  const page = await stage.enter()
  await page.keyboard.press('?')
  await page.getByLabel('Single-key shortcuts are on').uncheck()
  await page.keyboard.press('Escape')
  await page.reload()
  await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor()
  await page.keyboard.press('c')
  await page.waitForTimeout(200)
  expect(page.url()).toBe(`${hub.url}/`)
  await page.evaluate('localStorage.clear()')
})

test('the chosen theme survives a reload and the system decides until there is one', async () => {
  const page = await stage.enter()
  const surface = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
  const light = await surface()
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await surface()
  expect(dark).not.toBe(light)
  await page.getByRole('button', { name: /Theme: system/ }).click()
  expect(await surface()).toBe(light)
  await page.reload()
  await page.getByRole('button', { name: /Theme: light/ }).waitFor()
  expect(await surface()).toBe(light)
  await page.evaluate('localStorage.clear()')
})

test('a lost connection is said and, once it is back, what was missed is shown', async () => {
  const page = await stage.enter()
  await page.getByText('Live', { exact: true }).waitFor()
  hub.dropConnections()
  await page.getByText('Reconnecting').waitFor()
  hub.addTask({ title: 'Made meanwhile' })
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Made meanwhile' }).waitFor()
})

test('a page that was opened while the hub was away fills itself once it is back', async () => {
  const task = hub.addTask({ title: 'Patient page' })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Patient page' }).waitFor()
  const { port } = new URL(hub.url)
  await hub.stop()
  await page.getByRole('link', { name: 'Patient page' }).click()
  await page.getByText('The hub does not answer.').waitFor()
  await hub.start(Number(port))
  await page.getByRole('heading', { name: 'Patient page' }).waitFor()
  expect(page.url()).toContain(task.short)
})
