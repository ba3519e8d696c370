import { expect, test } from 'vitest'
import { Refusal } from './fake-hub.ts'
import { setStage } from './stage.ts'

const stage = setStage()
const { hub } = stage

test('a one-time link signs in and its secret is gone from the address and the history', async () => {
  const link = hub.signInLink()
  const page = await stage.open(link.slice(hub.url.length))
  await page.getByRole('heading', { name: 'Set a password' }).waitFor()
  expect(page.url()).toBe(`${hub.url}/sign-in`)
  await page.getByRole('button', { name: 'Not now' }).click()
  await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor()
  await page.goBack()
  expect(page.url()).not.toContain('link=')
})

test('a used link is refused in words, with what to do, and the password form is there', async () => {
  const page = await stage.open('/sign-in#link=used')
  const alert = page.getByRole('alert')
  await alert.waitFor()
  expect(await alert.textContent()).toContain('used already')
  expect(await alert.textContent()).toContain('npx muster sign-in')
  expect(await page.getByLabel('Password').isVisible()).toBe(true)
  expect(page.url()).toBe(`${hub.url}/sign-in`)
})

test('a password of fewer than twelve characters is refused before it is sent, a longer one signs in later', async () => {
  const page = await stage.open(hub.signInLink().slice(hub.url.length))
  const field = page.getByLabel('New password')
  await field.fill('too short')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByText('must have at least 12 characters').waitFor()
  expect(hub.calls.some(({ name }) => name === 'setPassword')).toBe(false)
  await field.fill('correct horse battery')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('The password is wrong.').waitFor()
  await page.getByLabel('Password').fill('correct horse battery')
  await page.getByLabel('Password').press('Enter')
  await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor()
})

test('somebody who is not signed in comes back to the page they asked for', async () => {
  const task = hub.addTask({ title: 'Wanted page' })
  const page = await stage.open(`/tasks/${task.short}`)
  await page.getByRole('heading', { name: 'Sign in to Muster' }).waitFor()
  await page.evaluate(`location.hash = 'link=${hub.signInLink().split('link=')[1]}'`)
  await page.getByRole('heading', { name: 'Wanted page' }).waitFor()
})

test('a session that ends while the page is open leads to the sign-in page', async () => {
  const page = await stage.enter()
  hub.sessions.clear()
  hub.dropConnections()
  await page.getByRole('heading', { name: 'Sign in to Muster' }).waitFor()
})

test('nothing in the address makes the page talk to another server', async () => {
  const page = await stage.open(
    '/sign-in?hub=http://evil.example&next=//evil.example#link=x&origin=http://evil.example',
  )
  await page.getByRole('alert').waitFor()
  await page.evaluate(`location.hash = 'link=${hub.signInLink().split('link=')[1]}'`)
  await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor()
  expect(page.url()).toBe(`${hub.url}/`)
})

test('a hub that fails says so with a request id and can be asked again', async () => {
  const page = await stage.enter()
  hub.refusals.set('listTokens', new Refusal('forbidden', 'This token may not list tokens.'))
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByText('This token may not list tokens.').waitFor()
  await page.getByText('Request req-1').waitFor()
})
