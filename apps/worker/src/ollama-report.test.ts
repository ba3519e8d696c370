import { startFakeOllama } from '@muster/testkit/models/fake-ollama'
import { expect, onTestFinished, test } from 'vitest'
import { createLook } from './ollama-report.ts'

test('nothing is said of an Ollama that was never there, and of one that went that it went', async () => {
  expect(await createLook('http://127.0.0.1:9')()).toBeNull()
  expect(await createLook(null)()).toBeNull()
  const ollama = await startFakeOllama({ models: [{ name: 'qwen3:8b', loaded: true }] })
  onTestFinished(() => ollama.close())
  const look = createLook(ollama.url)
  expect(await look()).toMatchObject({
    type: 'ollama_report',
    url: ollama.url,
    version: '0.31.0',
    problem: null,
    models: [
      {
        name: 'qwen3:8b',
        warm: true,
        contextTokens: 40_960,
        capabilities: ['completion', 'tools'],
        parameterSize: '8.2B',
        remote: false,
      },
    ],
  })
  await ollama.close()
  expect(await look()).toEqual({
    type: 'ollama_report',
    url: ollama.url,
    version: null,
    models: null,
    problem: 'nothing listens there',
  })
})
