import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Endpoint, ModelList } from '@muster/contract/models'
import { exampleProjects } from '@muster/testkit/example-projects'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { startFakeOpenAi } from '@muster/testkit/models/fake-openai'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ownerToken, startStack, type Stack } from './stack.ts'
import { add, addRepo, getTask, runsOf, untilEnded, untilState } from './tasks-of.ts'

let stack: Stack
let repo: GitRepo
let place: string
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'muster-bad-'))
  repo = await gitRepo(exampleProjects.npm)
  stack = await startStack()
  await addRepo(stack, 'demo', repo.path)
})
afterAll(async () => {
  await stack.stop()
  await repo.remove()
  await rm(place, { recursive: true, force: true })
})

const counts = async () => {
  const [row] = await stack.sql<{ tasks: number; queued: number; calls: number }>(
    `select (select count(*)::int from muster.tasks) as tasks,
       (select count(*)::int from muster.task_queue) as queued, (select count(*)::int from muster.calls) as calls`,
  )
  return row
}

const order = ['--prompt', 'Mend it.', '--check', 'test_passes:auto']

it('an unknown model is waited for by name, with what would bring it, and nothing runs or is called meanwhile', async () => {
  const before = await counts()
  const { id } = await add(stack, 'demo', 'With nobody', ...order, '--model', 'nobody-has-this:1b')
  const waiting = await untilState(stack, id, ({ reason }) => reason !== null)
  expect(waiting).toMatchObject({ state: 'queued', attempt: 0 })
  expect(waiting.reason).toContain('no endpoint has; for Ollama: ollama pull nobody-has-this:1b')
  const { missing } = (await stack.muster('model', 'list', '--json')).json() as ModelList
  expect(JSON.stringify(missing)).toContain('nobody-has-this:1b')
  expect(await runsOf(stack, id)).toEqual([])
  expect((await counts())?.calls).toBe(before?.calls)
  expect((await stack.muster('task', 'cancel', id)).code).toBe(0)
})

it('a server of models that cannot be reached is taken whole, says why it is not there, and is given nothing', async () => {
  const added = await stack.muster('model', 'add', 'far', 'http://nobody.invalid:11434', '--json')
  const endpoint = added.json() as Endpoint
  expect(endpoint).toMatchObject({ name: 'far', models: [] })
  expect(endpoint.health).not.toBe('healthy')
  expect(endpoint.error).toContain('the name of the host is not known')
  expect((await stack.muster('model', 'remove', 'far')).code).toBe(0)
})

it('a paid model without a price is not asked; the task says which command names the price, and is done once it is named', async () => {
  const cloud = await startFakeOpenAi({
    models: ['dear-1'],
    // In their order, whoever asks.
    turns: [
      { calls: [{ name: 'write_file', args: { path: 'NOTES.md', content: 'Adds two numbers.\n' } }] },
      { text: 'Noted.' },
    ],
  })
  onTestFinished(() => cloud.close())
  await stack.muster('model', 'add', 'cloud', cloud.url, '--kind', 'openai', '--cloud')
  await stack.muster('model', 'cloud', 'allow')
  const before = await counts()
  const { id } = await add(stack, 'demo', 'Too dear', ...order, '--model', 'dear-1')
  const refused = await untilState(stack, id, ({ reason }) => reason?.includes('price') === true, 60_000)
  expect(refused.reason).toContain('its price is not known ("npx muster cost price set dear-1 INPUT OUTPUT")')
  expect(refused).toMatchObject({ state: 'queued', attempt: 0 })
  const asked = cloud.requests.filter(({ path }) => path.includes('completions'))
  expect(asked).toEqual([])
  expect((await counts())?.calls).toBe(before?.calls)

  expect((await stack.muster('cost', 'price', 'set', 'dear-1', '3', '15')).code).toBe(0)
  expect(await untilEnded(stack, id, 120_000)).toMatchObject({ state: 'done', ending: 'verified' })
  const cost = (await stack.muster('cost', '--by', 'model', '--json')).stdout
  expect(cost).toContain('dear-1')
})

describe('refused, with nothing begun:', () => {
  it.each([
    ['no JSON', '{broken', 'line 1: not JSON'],
    ['no turns', '{"turns": "many"}', 'turns'],
    ['a call of no tool', '{"turns": [{"calls": [{"args": {}}]}]}', 'tool'],
  ])('a script of the practice model with %s', async (_, text, part) => {
    const before = await counts()
    const path = join(place, 'script.json')
    await writeFile(path, text)
    const words = ['task', 'add', '--repo', 'demo', '--title', 'T', '--prompt', 'x', '--practice', path]
    const { code, stderr } = await stack.muster(...words, '--json')
    expect(code).toBe(2)
    expect(stderr).toContain(part)
    expect(await counts()).toEqual(before)
  })

  it('a prompt of 5 MB, to a client that only listens when it has said everything', async () => {
    const before = await counts()
    const answer = await sendByPython('x'.repeat(5_000_000))
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' })
    expect(await sendByPython('x'.repeat(40_000))).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(await counts()).toEqual(before)
  })

  it('and what was refused left a hub that goes on', async () => {
    const { id } = await add(stack, 'demo', 'Still there', '--run', 'echo MIT > LICENSE')
    expect(await untilEnded(stack, id)).toMatchObject({ state: 'done' })
    expect(await getTask(stack, id)).toMatchObject({ title: 'Still there' })
  })
})

/** Python writes the whole body before it reads; a connection that is closed meanwhile is all that it would see. */
async function sendByPython(prompt: string): Promise<{ status: number; code: string }> {
  const body = join(place, 'body.json')
  await writeFile(body, JSON.stringify({ repo: 'demo', title: 'T', prompt }))
  const script = `
import json, sys, urllib.request, urllib.error
request = urllib.request.Request(sys.argv[1], open(sys.argv[2], 'rb').read(), {
  'authorization': 'Bearer ' + sys.argv[3], 'content-type': 'application/json'})
try:
  print(json.dumps({'status': urllib.request.urlopen(request).status}))
except urllib.error.HTTPError as refused:
  print(json.dumps({'status': refused.code, 'code': json.load(refused)['code']}))
`
  const args = ['-c', script, `${stack.url}/api/v1/tasks`, body, await ownerToken(stack.data)]
  const { stdout } = await promisify(execFile)('python3', args)
  return JSON.parse(stdout) as { status: number; code: string }
}
