import { beforeEach, expect, test } from 'vitest'
import { Refusal } from './fake-hub.ts'
import { aModel, anEndpoint } from './fake-models.ts'
import { setStage } from './stage.ts'

const stage = setStage()
const { hub } = stage
beforeEach(() => {
  hub.models = { endpoints: [], missing: [], cloudAllowed: false }
})

async function enterModels() {
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Models' }).click()
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor()
  return page
}
const last = (name: string) => hub.calls.findLast((call) => call.name === name)

test('a person sees where models are, how they do, what each is for, and what is missing', async () => {
  hub.models.endpoints = [
    anEndpoint({
      source: 'settings',
      models: [aModel({}), aModel({ name: 'llama3.2:3b', tier: 'trivial', warm: false })],
    }),
    anEndpoint({ name: 'box-2', health: 'unhealthy', error: 'nothing listens there' }),
  ]
  hub.models.missing = [
    { name: 'mistral:7b', wantedBy: '2 waiting tasks', command: 'ollama pull mistral:7b' },
  ]
  const page = await enterModels()
  const ollama = page.getByRole('listitem', { name: 'ollama' })
  await ollama.getByText('Healthy', { exact: true }).waitFor()
  expect(await ollama.getByText('warm, 8.2B, Q4_K_M, 40,960 tokens').count()).toBe(1)
  expect(await ollama.getByText('cold, 8.2B').count()).toBe(1)
  // The one of the settings would come back, so it cannot be removed.
  expect(await ollama.getByRole('button', { name: 'Remove' }).count()).toBe(0)
  const box = page.getByRole('listitem', { name: 'box-2' })
  expect(await box.getByText('Unhealthy').count()).toBe(1)
  expect(await box.getByText('It does not answer: nothing listens there').count()).toBe(1)
  expect(await page.getByText('ollama pull mistral:7b').count()).toBe(1)
})

test('an endpoint is added; an address that the hub refuses is told and stays in the form', async () => {
  const page = await enterModels()
  await page.getByText('Add an endpoint').click()
  await page.getByLabel('Name').fill('box-2')
  await page.getByLabel('Address').fill('ftp://box-2')
  hub.refusals.set('addEndpoint', new Refusal('endpoint_url_refused', 'ftp://box-2 begins with ftp://.'))
  await page.getByRole('button', { name: 'Add endpoint' }).click()
  await page.getByText('ftp://box-2 begins with ftp://.').waitFor()
  await page.getByLabel('Address').fill('http://box-2:11434')
  await page.getByRole('button', { name: 'Add endpoint' }).click()
  await page.getByRole('listitem', { name: 'box-2' }).waitFor()
  expect(last('addEndpoint')?.body).toMatchObject({
    name: 'box-2',
    url: 'http://box-2:11434',
    kind: 'ollama',
  })
})

test('an endpoint is removed only after a question', async () => {
  hub.models.endpoints = [anEndpoint({ name: 'box-2' })]
  const page = await enterModels()
  const box = page.getByRole('listitem', { name: 'box-2' })
  await box.getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  expect(last('removeEndpoint')).toBeUndefined()
  await box.getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await box.waitFor({ state: 'detached' })
  expect(hub.models.endpoints).toEqual([])
})

test('a person says what a model is for, and allows the cloud', async () => {
  hub.models.endpoints = [
    anEndpoint({ models: [aModel({})] }),
    anEndpoint({
      name: 'openai',
      kind: 'openai',
      cloud: true,
      models: [aModel({ name: 'gpt-x', cloud: true })],
    }),
  ]
  const page = await enterModels()
  await page.getByLabel('Tasks that qwen3:8b is for').selectOption('complex')
  await expect.poll(() => last('setModelTier')?.body).toEqual({ model: 'qwen3:8b', tier: 'complex' })
  await page.getByLabel('Tasks that qwen3:8b is for').selectOption('auto')
  await expect.poll(() => last('setModelTier')?.body).toEqual({ model: 'qwen3:8b', tier: null })
  await page.getByRole('button', { name: 'Allow the cloud' }).click()
  await page.getByRole('button', { name: 'Forbid the cloud' }).waitFor()
  expect(hub.models.cloudAllowed).toBe(true)
})
