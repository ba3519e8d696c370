import { startFakeOllama, type FakeOllama } from '@muster/testkit/models/fake-ollama'
import { hostile } from '@muster/testkit/models/hostile'
import { byRound, type TurnSource } from '@muster/testkit/models/turn'
import type { ModelList } from '@muster/contract/models'
import type { Task } from '@muster/contract/tasks'
import { eventually } from '@muster/testkit/eventually'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { personRepo } from './person-repo.ts'
import { stepsOf } from './practice.ts'
import { startStack, type Stack } from './stack.ts'
import { add, addAndWait, addRepo, eventsOf, runsOf, untilEnded, untilState } from './tasks-of.ts'

const wrong = 'export const total = (a, b) => a - b\n'
const right = 'export const total = (a, b) => a + b\n'
const project = {
  'package.json': JSON.stringify({ name: 'sum', type: 'module', scripts: { test: 'node --test' } }),
  'total.js': wrong,
  'total.test.js':
    "import test from 'node:test'\nimport assert from 'node:assert'\nimport { total } from './total.js'\n" +
    "test('adds', () => assert.equal(total(2, 3), 5))\n",
}
/** What a model that can does: looks, runs the tests, mends, says so. */
const mending = byRound([
  { calls: [{ name: 'read_file', args: { path: 'total.js' } }] },
  { calls: [{ name: 'run_command', args: { command: 'npm test' } }] },
  { calls: [{ name: 'write_file', args: { path: 'total.js', content: right } }] },
  { text: 'The sum is right now.' },
])

let stack: Stack
let ollama: FakeOllama
beforeAll(async () => {
  ollama = await startFakeOllama()
  stack = await startStack({ env: { MUSTER_OLLAMA_URL: ollama.url } })
})
afterAll(async () => {
  await stack.stop()
  await ollama.close()
})
// What one test did to an endpoint is not the next one's affair.
beforeEach(() => stack.sql(`update muster.endpoints set paused_until = '-infinity', trips = 0`))

async function newRepo(): Promise<string> {
  const name = `sum-${Date.now().toString(36)}`
  const repo = await personRepo(project)
  onTestFinished(() => repo.remove())
  await addRepo(stack, name, repo.path)
  return name
}

const order = ['--prompt', 'The tests fail. Mend it.', '--check', 'test_passes:auto']
const mendWith = async (turns: TurnSource | TurnSource[], ...more: string[]) => {
  ollama.script(turns)
  return addAndWait(stack, await newRepo(), 'Mend the sum', ...order, ...more)
}

it('models of a server that speaks the wire of Ollama are there at the first look after the start', async () => {
  const { items } = (await stack.muster('model', 'list', '--json')).json() as ModelList
  expect(items.map(({ name }) => name)).toContain('qwen3:8b')
})

describe('a prompt with a model over Ollama', () => {
  it.each([
    ['calls tools natively', mending],
    ['writes its calls as <tool_call> text', byRoundIn('tool_call_json')],
  ])('that %s ends done after several turns', async (_, turns) => {
    const { code, task } = await mendWith(turns)
    expect([code, task.ending], task.reason ?? '').toEqual([0, 'verified'])
    const tools = (await stepsOf(stack, task.id)).flatMap((step) => (step.kind === 'tool' ? [step.tool] : []))
    expect(tools).toEqual(['read_file', 'run_command', 'write_file'])
  })
})

function byRoundIn(dialect: 'tool_call_json'): TurnSource {
  return async (request) => {
    const turn = await mending(request)
    return 'behaviour' in turn ? turn : { ...turn, dialect }
  }
}

// All of them by hand: HOSTILE=all.
const everyOne = [
  'says an error in the middle, under status 200',
  'sends garbage',
  'ends the stream without saying that it is whole',
  'says nothing but an error, under status 200',
  'sends garbage in the middle',
  'closes in the middle of an answer',
  'answers with a page of HTML',
]

describe('a model server', () => {
  it.each(process.env['HOSTILE'] === 'all' ? everyOne : everyOne.slice(0, 3))(
    'that %s once is asked again in the same run, and the work is done',
    async (name) => {
      const { turn } = hostile(name)
      const once: TurnSource = async (request) => {
        if (request.index > 0) return mending(request)
        return typeof turn === 'function' ? turn(request) : turn
      }
      const { code, task } = await mendWith(once)
      expect([code, task.ending], task.reason ?? '').toEqual([0, 'verified'])
      expect(await runsOf(stack, task.id)).toHaveLength(1)
    },
  )

  it('that sends nothing but garbage leaves the task waiting for a model by name, and it is done when that is mended', async () => {
    ollama.script(hostile('sends garbage').turn)
    const { id } = await add(stack, await newRepo(), 'Mend the sum', ...order)
    const waiting = await untilState(stack, id, ({ reason }) => reason?.startsWith('model_') === true, 60_000)
    expect(waiting).toMatchObject({ state: 'queued', failures: 0 })
    expect(waiting.reason).toMatch(/^model_unavailable: .*next try not before/)
    ollama.script(mending)
    expect(await untilEnded(stack, id, 90_000)).toMatchObject({ state: 'done', ending: 'verified' })
  })

  it('that is silent is left at the deadline', async () => {
    const { task } = await mendWith(hostile('accepts and stays silent').turn, '--timeout', '8s')
    expect(task).toMatchObject({ state: 'dead', ending: 'timed_out' })
  })

  it('that answers 429 with a time parks the task until then', async () => {
    const soon = hostile('limits with Retry-After in seconds')
    ollama.script(soon.turn)
    const { id } = await add(stack, await newRepo(), 'Mend the sum', ...order)
    const parked = await untilState(stack, id, (task) => task.state === 'queued' && task.notBefore !== null)
    expect(Date.parse(parked.notBefore ?? '') - Date.now()).toBeGreaterThan(0)
    expect((await eventsOf(stack, id)).map(({ kind }) => kind)).toContain('run.parked')
    await stack.muster('task', 'cancel', id)
  })

  it('that dies in the middle of an answer is left for another one that has the model', async () => {
    const models = [{ name: 'twice:8b' }]
    const dying = await startFakeOllama({ models, turns: { text: 'a '.repeat(500), pieceMs: 50 } })
    const living = await startFakeOllama({ models, turns: mending })
    onTestFinished(() => living.close())
    await stack.muster('model', 'add', 'dying', dying.url)
    const { id } = await add(
      stack,
      await newRepo(),
      'Mend the sum',
      ...order,
      '--model',
      'twice:8b',
      '--retries',
      '2',
    )
    await eventually(() => dying.asked.length > 0, { timeoutMs: 20_000 })
    await stack.muster('model', 'add', 'living', living.url)
    await dying.close()
    const task: Task = await untilEnded(stack, id, 120_000)
    expect(task).toMatchObject({ state: 'done', ending: 'verified' })
    expect(task.assigned?.model?.endpoint).toBe('living')
    const [, first] = await runsOf(stack, id)
    expect(first?.reason).toMatch(/^model_unavailable: twice:8b/)
  })
})
