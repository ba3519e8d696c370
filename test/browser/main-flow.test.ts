import { randomInt } from 'node:crypto'
import { exampleProjects } from '@muster/testkit/example-projects'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { untilBack } from '../scenarios/faults.ts'
import { processesOf } from '../scenarios/processes-of.ts'
import { expectNothingOf, startStack, type Stack } from '../scenarios/stack.ts'
import { launchBrowser, signInByLink, type LaunchedBrowser, type WatchedPage } from './harness.ts'

/** The pages in front of the real hub, worker, wall and git: what a person does with them, in this order. */
let stack: Stack
let repo: GitRepo
let browser: LaunchedBrowser
const pages: WatchedPage[] = []

beforeAll(async () => {
  stack = await startStack()
  repo = await gitRepo(exampleProjects.npm)
  browser = await launchBrowser()
})
afterEach(async () => {
  const trouble = pages.flatMap((page) => page.trouble)
  for (const page of pages.splice(0)) await page.close()
  await browser.context.clearCookies()
  expect(trouble).toEqual([])
})
afterAll(async () => {
  await browser.close()
  await stack.stop()
  await repo.remove()
})

async function newPage(): Promise<WatchedPage> {
  const page = await browser.newPage()
  pages.push(page)
  return page
}

async function enter(): Promise<WatchedPage> {
  const page = await newPage()
  await signInByLink(page, (await stack.muster('sign-in')).stdout.trim())
  return page
}

type Order = { title: string; command: string; checks?: [kind: string, target: string][] }

async function handIn(page: WatchedPage, { title, command, checks = [] }: Order): Promise<Shown> {
  await page.getByRole('link', { name: 'New task' }).click()
  await fillIn(page, { title, command, checks })
  return shown(page, title)
}

async function fillIn(page: WatchedPage, { title, command, checks = [] }: Order): Promise<void> {
  await page.getByLabel('Title').fill(title)
  await page.getByLabel('Command').fill(command)
  for (const [index, [kind, target]] of checks.entries()) {
    await page.getByRole('button', { name: 'Add check' }).click()
    await page.getByLabel(`Kind of check ${index + 1}`).selectOption(kind)
    await page.getByLabel(`Target of check ${index + 1}`).fill(target)
  }
  await page.getByRole('button', { name: 'Hand in task' }).click()
}

type Shown = { state: Locator; log: Locator; checks: Locator; changes: Locator }

async function shown(page: WatchedPage, title: string): Promise<Shown> {
  await page.getByRole('heading', { name: title }).waitFor()
  return {
    state: page.getByLabel('State of the task'),
    log: page.getByRole('log', { name: 'Output' }),
    checks: page.getByRole('list', { name: 'Checks' }).getByRole('listitem'),
    changes: page.getByRole('region', { name: 'Changes' }),
  }
}

/** Few enough lines to be in the document all at once. */
const steps = 24
const countSlowly = `for i in $(seq ${steps}); do echo "step $i"; sleep 0.3; done`
const everyStep = Array.from({ length: steps }, (_, index) => `step ${index + 1}`)
const stepsIn = (log: Locator) => log.getByText(/^step \d+$/).allTextContents()
const word = (place: Locator, text: string) => place.getByText(text, { exact: true })

test('the link that the start printed signs in once, and the second time says how to get another', async () => {
  const link = /http:\S+#link=\S+/.exec(stack.process.output())?.[0] ?? 'nothing was printed'
  await signInByLink(await newPage(), link)
  await browser.context.clearCookies()
  const second = await newPage()
  await second.goto(link)
  await second.getByRole('alert').getByText('used already').waitFor()
  await second.getByRole('alert').getByText('npx muster sign-in').waitFor()
})

test('from an empty page to a proven branch nothing but the page is needed', async () => {
  const page = await enter()
  await page.getByRole('heading', { name: 'No tasks yet' }).waitFor()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Name').fill('demo')
  await page.getByLabel('Path or URL').fill(repo.path)
  await page.getByRole('button', { name: 'Register repository' }).click()
  await fillIn(page, {
    title: 'Add a licence',
    command: `${countSlowly}; echo MIT > LICENSE`,
    checks: [
      ['file_exists', 'LICENSE'],
      ['test_passes', 'auto'],
    ],
  })
  const { state, log, checks, changes } = await shown(page, 'Add a licence')

  // Lines come while the command runs, not with its end.
  await word(log, 'step 1').waitFor()
  expect(await word(log, `step ${steps}`).count()).toBe(0)
  await word(state, 'Running').waitFor()
  await changes.getByText('when the run has ended').waitFor()
  await word(log, `step ${steps}`).waitFor()

  await word(state, 'Done').waitFor()
  await word(state, 'Verified').waitFor()
  // With the one that shows that the tests can fail.
  await page.getByText('3 of 3 passed').waitFor()
  expect(await checks.getByText('Passed', { exact: true }).count()).toBe(3)
  await changes
    .getByRole('table', { name: 'Changes in LICENSE' })
    .getByRole('row', { name: /added: MIT/ })
    .waitFor()

  const branch = await repo.git('for-each-ref', '--format=%(refname:short)', 'refs/heads/muster')
  expect(branch).toMatch(/^muster\/shell\/add-a-licence-[0-9a-f]{8}$/)
  expect(await repo.git('show', `${branch}:LICENSE`)).toBe('MIT')
  await word(page.getByRole('main'), branch).waitFor()
})

test('a task whose work fails its check shows what the check printed, and makes no branch', async () => {
  const page = await enter()
  const { state, checks, changes } = await handIn(page, {
    title: 'Break the sum',
    command: `sed -i 's/a + b/a - b/' add.js; echo all tests pass`,
    checks: [
      ['file_exists', 'add.js'],
      ['test_passes', 'auto'],
    ],
  })
  await word(state, 'Dead').waitFor()
  await word(state, 'Execution failed').waitFor()
  await page.getByText('1 of 2 passed').waitFor()
  await word(checks.nth(0), 'Passed').waitFor()
  await word(checks.nth(1), 'Failed').waitFor()
  await checks
    .nth(1)
    .getByText(/Expected values to be strictly equal/)
    .first()
    .waitFor()
  await changes.getByRole('row', { name: /added: .*a - b/ }).waitFor()
  expect(await repo.git('for-each-ref', 'refs/heads/muster/shell/break*')).toBe('')
})

test('a task cancelled on the page leaves no process, and goes again when it is retried', async () => {
  const page = await enter()
  const marker = `1000.${randomInt(1_000_000_000, 9_999_999_999)}`
  const { state, log } = await handIn(page, { title: 'Sleep', command: `echo asleep; sleep ${marker}` })
  await word(log, 'asleep').waitFor()
  await expect.poll(async () => (await processesOf(`sleep ${marker}`)).length).toBeGreaterThan(0)

  const cancel = async () => {
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('button', { name: 'Cancel task' }).click()
    await word(state, 'Cancelled').first().waitFor()
    await expectNothingOf(`sleep ${marker}`, 10_000)
  }
  await cancel()
  await page.getByRole('button', { name: 'Retry' }).click()
  await word(state, 'Running').waitFor()
  await word(log, 'Attempt 2').waitFor()
  await expect.poll(() => word(log, 'asleep').count()).toBe(2)
  await cancel()
})

test('the workers page shows the worker of this machine, the wall that it tried and who runs it, and keeps it from tasks', async () => {
  const page = await enter()
  await page.getByRole('link', { name: /1 of 1 workers connected/ }).click()
  const worker = page.getByRole('listitem', { name: 'local' })
  await word(worker, 'Idle').waitFor()
  await worker.getByText('namespace wall works').waitFor()
  await worker.getByText('no network').waitFor()
  await worker.getByText('Run by').waitFor()
  await worker.getByRole('button', { name: 'Cordon', exact: true }).click()
  await page.getByRole('dialog').getByLabel('Reason (optional)').fill('new disk')
  await page.getByRole('dialog').getByRole('button', { name: 'Cordon' }).click()
  await worker.getByText('Gets no new task: new disk').waitFor()
  await worker.getByRole('button', { name: 'Uncordon' }).click()
  await word(worker, 'Idle').waitFor()
})

test('a page that is reloaded during a run shows every line once', async () => {
  const page = await enter()
  const first = await handIn(page, { title: 'Count slowly', command: `${countSlowly}; echo 1 > counted` })
  await word(first.log, 'step 5').waitFor()
  await page.reload()
  const { state, log } = await shown(page, 'Count slowly')
  await word(log, 'step 1').waitFor()
  expect(await word(log, `step ${steps}`).count()).toBe(0)
  await word(state, 'Done').waitFor()
  expect(await stepsIn(log)).toEqual(everyStep)
})

test('a hub that is killed during a run comes back to the open page, which misses and repeats nothing', async () => {
  const page = await enter()
  const { state, log } = await handIn(page, {
    title: 'Outlive the hub',
    command: `${countSlowly}; echo 1 > outlived`,
    checks: [['file_exists', 'outlived']],
  })
  await word(log, 'step 3').waitFor()
  const before = await stack.pids()
  process.kill(before.hub, 'SIGKILL')
  await page.getByText('Reconnecting').waitFor()
  await untilBack(stack, before, 'hub')
  await word(page.getByRole('banner'), 'Live').waitFor()
  await word(state, 'Done').waitFor({ timeout: 60_000 })
  await page.getByText('1 of 1 passed').waitFor()
  // On a machine so busy that the lease runs out meanwhile there is a second attempt, which begins again and says so.
  const lines = await log.getByText(/^(step|Attempt) \d+$/).allTextContents()
  const again = lines.indexOf('Attempt 2')
  expect(lines.slice(again + 1)).toEqual(everyStep)
  expect(lines.slice(0, Math.max(0, again))).toEqual(everyStep.slice(0, Math.max(0, again)))
})
