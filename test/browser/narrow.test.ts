import { expect, test } from 'vitest'
import { aModel, anEndpoint } from './fake-models.ts'
import { addWorker, seed } from './seed.ts'
import { setStage } from './stage.ts'

// 320 px is what is left of 1280 px at 400 % zoom, the width that WCAG 1.4.10 asks for.
const stage = setStage({ width: 320, height: 700 })
const { hub } = stage
const { running, done, dead } = seed(hub)
addWorker(hub, 'attic', false)
hub.models.endpoints = [
  anEndpoint({
    url: 'http://a-machine-with-a-long-name.example.internal:11434',
    models: [
      aModel({ name: 'hf.co/somebody/a-model-with-a-very-long-name:Q4_K_M', unfit: 'it cannot call tools' }),
    ],
  }),
]
hub.models.missing = [{ name: 'mistral:7b', wantedBy: 'MUSTER_MODEL', command: 'ollama pull mistral:7b' }]

test.each([
  ['the task list', '/'],
  ['a running task', `/tasks/${running.short}`],
  ['a done task', `/tasks/${done.short}`],
  ['a dead task', `/tasks/${dead.short}`],
  ['the form for a task', '/tasks/new'],
  ['the dead tasks', '/?state=dead'],
  ['the workers', '/workers'],
  ['the models', '/models'],
  ['the settings', '/settings'],
])('%s fits a narrow screen without scrolling sideways', async (_, path) => {
  const page = await stage.enter()
  await page.goto(hub.url + path)
  await page.getByText('Live', { exact: true }).waitFor()
  if (path === '/tasks/new') await page.getByRole('button', { name: 'Add check' }).click()
  await page.waitForTimeout(400)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
})
