import { eventually } from '@muster/testkit/eventually'
import type { ModelList } from '@muster/contract/models'
import { expect, onTestFinished, test } from 'vitest'
import { startModelServer } from '../../apps/hub/test-support/model-server.ts'
import { startStack } from './stack.ts'

test('a person finds models, adds a machine with more, and says what they are for', async () => {
  const [ollama, box] = [
    await startModelServer([{ name: 'qwen3:8b', warm: true }]),
    await startModelServer([{ name: 'llama3.2:3b', size: '3.2B' }]),
  ]
  const stack = await startStack({ env: { MUSTER_OLLAMA_URL: ollama.url, MUSTER_MODEL: 'mistral:7b' } })
  onTestFinished(() => stack.stop())

  // Said at the start already, and there within 3 s of it.
  expect(stack.process.output()).toContain(`ollama: qwen3:8b at ${ollama.url}`)
  const listed = await stack.muster('model', 'list')
  expect(listed.code).toBe(0)
  expect(listed.stdout).toMatch(/qwen3:8b +ollama +standard +warm +8\.2B +40960/)
  expect(listed.stderr).toContain(
    'mistral:7b is missing (wanted by MUSTER_MODEL). To get it: ollama pull mistral:7b',
  )

  const added = await stack.muster('model', 'add', 'box-2', box.url)
  expect([added.code, added.stderr]).toEqual([
    0,
    'box-2 is registered with 1 model. See: npx muster model list\n',
  ])
  const shown = await stack.muster('model', 'show', 'box-2')
  expect(shown.stdout).toMatch(/^health +healthy$/m)
  expect(shown.stdout).toMatch(/^model +llama3\.2:3b, cold, trivial, 3\.2B/m)

  expect((await stack.muster('model', 'tier', 'llama3.2:3b', 'standard')).code).toBe(0)
  const found = (await stack.muster('model', 'list', '--json')).json() as ModelList
  expect(found.items).toMatchObject([
    { name: 'llama3.2:3b', endpoint: 'box-2', tier: 'standard', tierByHand: true },
    { name: 'qwen3:8b', endpoint: 'ollama' },
  ])
  expect(found.cloudAllowed).toBe(false)
  expect((await stack.muster('model', 'cloud', 'allow', '--json')).json()).toMatchObject({
    cloudAllowed: true,
  })

  const refused: [string[], number, string][] = [
    [['model', 'add', 'x', 'ftp://box'], 2, 'endpoint_url_refused'],
    [['model', 'add', 'x', 'http://me:secret@box'], 2, 'endpoint_url_refused'],
    [['model', 'add', 'box-2', 'http://127.0.0.1:9'], 5, 'endpoint_name_taken'],
    [['model', 'add', 'x', box.url], 5, 'endpoint_exists'],
    [['model', 'remove', 'ollama'], 5, 'endpoint_from_settings'],
    [['model', 'show', 'nowhere'], 3, 'endpoint_not_found'],
    [['model', 'tier', 'nothing', 'complex'], 3, 'model_not_found'],
    [['model', 'tier', 'qwen3:8b', 'huge'], 2, 'usage'],
    [['model', 'cloud', 'maybe'], 2, 'usage'],
    [['model', 'add', 'x', box.url, '--kind', 'gemini'], 2, 'usage'],
    [['cost', '--by', 'colour'], 2, 'usage'],
    [['cost', 'budget', 'much'], 2, 'usage'],
    [['cost', 'budget', '5', '--worker', 'nobody'], 3, 'worker_not_found'],
    [['cost', 'limit', 'dreaming', '1', '1'], 2, 'usage'],
    [['cost', 'limit', 'executing', '1', '-1'], 2, 'usage'],
    [['cost', 'price', 'set', 'gpt-x', '1'], 2, 'usage'],
    [['cost', 'price', 'set', 'gpt-x', '1', 'two'], 2, 'usage'],
    [['cost', 'price', 'remove', 'gpt-x'], 3, 'price_not_found'],
  ]
  for (const [words, code, name] of refused) {
    const answer = await stack.muster(...words, '--json')
    expect([answer.code, (JSON.parse(answer.stderr) as { code: string }).code], words.join(' ')).toEqual([
      code,
      name,
    ])
    expect(answer.stderr).not.toContain('secret')
  }

  const capped = await stack.muster('cost', 'budget', '5', '--worker', 'local')
  expect(capped.stderr).toContain('$0.00 of $5.00 spent, $5.00 left.')
  const limited = await stack.muster('cost', 'limit', 'contemplating', '3', '9')
  expect(limited.stdout).toMatch(/contemplating +0 of 3 +0 of 9/)
  expect((await stack.muster('cost', 'calls')).stdout).toMatch(/executing +0 of 20 +0 of 100/)
  const spent = await stack.muster('cost')
  expect(spent.stderr).toContain('Budget: no limit; $0.00 spent.')
  expect((await stack.muster('cost', 'budget', '20')).stderr).toContain('$0.00 of $20.00 spent, $20.00 left.')
  expect((await stack.muster('cost', 'price', 'set', 'gpt-x', '1.25', '10')).code).toBe(0)
  expect((await stack.muster('cost', 'price', 'list')).stdout).toMatch(/gpt-x +1\.25 +10 .*this workspace/)
  expect((await stack.muster('cost', 'price', 'remove', 'gpt-x')).code).toBe(0)

  await box.stop()
  expect((await stack.muster('model', 'refresh', 'box-2')).stdout).toContain('nothing listens there')
  await eventually(
    async () => (await stack.muster('model', 'list')).stderr.includes(`box-2 (${box.url}) is unhealthy`),
    // The second look comes 5 s after the first that failed, and may take 5 s itself.
    { what: 'the machine that is gone is unhealthy', timeoutMs: 20_000 },
  )
  const doctor = await stack.muster('doctor')
  expect(doctor.stdout).toMatch(/Models: .*box-2 .* is unhealthy/)
  expect((await stack.muster('model', 'remove', 'box-2')).code).toBe(0)
})
