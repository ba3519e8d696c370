import { expect, test } from 'vitest'
import { Refusal } from './fake-hub.ts'
import { addWorker } from './seed.ts'
import { setStage } from './stage.ts'

const stage = setStage()
const { hub } = stage
addWorker(hub)

test('the first task can be handed in from nothing: a repository, then the task', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Name').fill('Not A Slug')
  await page.getByLabel('Path or URL').fill('/srv/git/demo')
  await page.getByRole('button', { name: 'Register repository' }).click()
  await page.getByText('must be lower-case letters').waitFor()
  await page.getByLabel('Name').fill('demo')
  await page.getByRole('button', { name: 'Register repository' }).click()

  await page.getByLabel('Title').fill('Write a greeting')
  await page.getByLabel('Command').fill('echo hello > hello.txt')
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByLabel('Kind of check 1').selectOption('file_exists')
  await page.getByLabel('Target of check 1').fill('hello.txt')
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByLabel('Kind of check 2').selectOption('git_clean')
  await page.getByLabel('Lane').selectOption('high')
  await page.getByLabel('Timeout in minutes').fill('5')
  await page.getByLabel('May change').fill('tests/**\n\ndocs/*.md')
  await page.getByRole('button', { name: 'Hand in task' }).click()

  await page.getByRole('heading', { name: 'Write a greeting' }).waitFor()
  const order = hub.calls.find(({ name }) => name === 'createTask')
  expect(order?.body).toMatchObject({
    repo: 'demo',
    run: 'echo hello > hello.txt',
    checks: [
      { kind: 'file_exists', target: 'hello.txt' },
      { kind: 'git_clean', target: '' },
    ],
    lane: 'high',
    timeoutMs: 300_000,
    mayChange: ['tests/**', 'docs/*.md'],
  })
})

test('what is missing is said beside its field and the first of them has the focus', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Timeout in minutes').fill('soon')
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByText('Say in one line what should be done.').waitFor()
  await page.getByText('Give the command to run.').waitFor()
  await page.getByText('command_succeeds needs a target.').waitFor()
  await page.getByText('Between one second').waitFor()
  await expect.poll(() => page.evaluate('document.activeElement.labels[0].textContent')).toBe('Title')
  expect(await page.getByLabel('Title').getAttribute('aria-invalid')).toBe('true')
})

test('a refusal of the hub that names a field is shown beside it and nothing typed is lost', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Title').fill('Refused once')
  await page.getByLabel('Command').fill('true')
  hub.refusals.set('createTask', new Refusal('invalid_request', 'title: is not to the taste of this hub'))
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByText('Is not to the taste of this hub.').waitFor()
  expect(await page.getByLabel('Title').inputValue()).toBe('Refused once')
})

test('an answer that is lost and asked for again makes one task', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Title').fill('Only once')
  await page.getByLabel('Command').fill('true')
  let lost = 0
  await page.route('**/api/v1/tasks', async (route) => {
    if (route.request().method() !== 'POST' || lost > 0) return route.continue()
    lost += 1
    await route.fetch()
    return route.abort('connectionreset')
  })
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByText('The hub does not answer.').waitFor()
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByRole('heading', { name: 'Only once' }).waitFor()
  expect(hub.tasks.filter(({ title }) => title === 'Only once')).toHaveLength(1)
  const keys = hub.calls.filter(({ name }) => name === 'createTask').map(({ key }) => key)
  expect(keys.at(-1)).toBe(keys.at(-2))
})

test('another repository can be registered without losing what was typed', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Title').fill('Kept title')
  await page.getByRole('button', { name: 'Register another' }).click()
  const dialog = page.getByRole('dialog', { name: 'Register a repository' })
  await dialog.getByLabel('Name').fill('second')
  await dialog.getByLabel('Path or URL').fill('/srv/git/second')
  await dialog.getByRole('button', { name: 'Register repository' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expect(await page.getByLabel('Repository').inputValue()).toBe('second')
  expect(await page.getByLabel('Title').inputValue()).toBe('Kept title')
})

test('a token is shown once, and a revoked one is gone from the list', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByLabel('Name').fill('laptop')
  await page.getByRole('button', { name: 'Create token' }).click()
  await page.getByText('muster_laptop_secret_shown_once').waitFor()
  await page.reload()
  const tokens = page.getByRole('list', { name: 'Tokens' })
  await tokens.getByText('laptop').waitFor()
  expect(await page.getByText('secret_shown_once').count()).toBe(0)
  await tokens.getByRole('button', { name: 'Revoke laptop' }).click()
  await page.getByRole('button', { name: 'Revoke token' }).click()
  await page.getByText('No tokens yet.').waitFor()
})

test('a prompt can be handed in instead of a command, for any model or for one', async () => {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Title').fill('Fix the total')
  await page.getByLabel('Done by').selectOption('an agent with a model')
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByText('Say what is to be done.').waitFor()
  await page.getByLabel('Prompt').fill('The tests fail. Find out why.')
  await page.getByRole('textbox', { name: 'Model' }).fill('qwen3:8b')
  await page.getByRole('button', { name: 'Hand in task' }).click()
  await page.getByRole('heading', { name: 'Fix the total' }).waitFor()
  const order = hub.calls.findLast(({ name }) => name === 'createTask')
  expect(order?.body).toMatchObject({ prompt: 'The tests fail. Find out why.', model: 'qwen3:8b' })
  expect(order?.body).not.toHaveProperty('run')
})
