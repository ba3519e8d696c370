import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ModelMessage } from '@muster/llm/model'
import { runLoop, type LoopCheckpoint } from './loop.ts'
import { begin, goOn, tryAgain, type Progress } from './progress.ts'
import { call, loopInput, scriptedModel, scriptedToolbox, type Turn } from './scripted.fixture.ts'
import { firstState } from './state.ts'

const write = (path: string) => call('write_file', { path, content: path }, path)
const read = (path: string) => call('read_file', { path }, `read ${path}`)

/** Five answers with nine calls and one without: fifteen steps. */
const script: Turn[] = [
  [read('a'), write('a')],
  [write('b'), read('b')],
  [write('c')],
  [read('c'), write('d')],
  [write('e'), read('e')],
  'All five are there.',
]

/** Says what it says by what it is shown, as a model does: it knows of no restart. */
function line() {
  const { model, requests } = scriptedModel((_, { messages }) => {
    const answers = messages.filter((message) => message.role === 'assistant').length
    return script[answers] ?? 'lost'
  })
  const { toolbox, ran } = scriptedToolbox(({ name }) => ({ success: true, changed: name === 'write_file' }))
  return { model, requests, toolbox, ran: () => ran.map((each) => each.id) }
}

class Killed extends Error {}

/** What the hub keeps of a line of work: the steps that arrived, and what came with them, as JSON. */
function hub() {
  const messages: ModelMessage[] = []
  const steps: number[] = []
  let state: Record<string, unknown> = {}
  return {
    steps,
    messages,
    keep({ step, added, state: now }: LoopCheckpoint) {
      steps.push(step.seq)
      messages.push(...(JSON.parse(JSON.stringify(added)) as ModelMessage[]))
      state = JSON.parse(JSON.stringify(now)) as Record<string, unknown>
    },
    progress: (): Progress =>
      steps.length === 0 ? begin('You are a test.', 'Do it.') : goOn([...messages], state),
  }
}

async function killedAt(step: number, when: 'before it is durable' | 'after') {
  const { model, toolbox, ran } = line()
  const kept = hub()
  const killed = loopInput(model, toolbox, {
    progress: kept.progress(),
    on: {
      async checkpoint(checkpoint) {
        if (checkpoint.step.seq === step && when === 'before it is durable') throw new Killed()
        kept.keep(checkpoint)
        if (checkpoint.step.seq === step) throw new Killed()
      },
    },
  })
  await expect(runLoop(killed.input)).rejects.toThrow(Killed)
  const durable = new Set(kept.messages.flatMap((each) => (each.role === 'tool' ? [each.callId] : [])))
  const ranBefore = ran()
  const second = loopInput(model, toolbox, {
    progress: kept.progress(),
    on: { checkpoint: async (checkpoint) => kept.keep(checkpoint) },
  })
  const end = await runLoop(second.input)
  return { end, kept, durable, ranBefore, ranAfter: ran().slice(ranBefore.length) }
}

const every = Array.from({ length: 15 }, (_, at) => at + 1)

test.each(every)(
  'a run that is killed after step %i goes on behind it and runs nothing twice',
  async (step) => {
    const whole = line()
    const expected = await runLoop(loopInput(whole.model, whole.toolbox).input)
    const { end, kept, ranBefore, ranAfter } = await killedAt(step, 'after')
    expect([...ranBefore, ...ranAfter]).toEqual(whole.ran())
    expect(kept.steps).toEqual(every)
    expect(kept.messages).toEqual(expected.messages)
    expect({
      ...end,
      state: { ...end.state, elapsedMs: 0 },
      totals: { ...end.totals, elapsedMs: 0 },
    }).toEqual({
      ...expected,
      state: { ...expected.state, elapsedMs: 0 },
      totals: { ...expected.totals, elapsedMs: 0 },
    })
  },
)

test.each(every)(
  'a run that is killed in step %i does at most that step again, and none before it',
  async (step) => {
    const { end, kept, durable, ranBefore, ranAfter } = await killedAt(step, 'before it is durable')
    const twice = ranAfter.filter((id) => ranBefore.includes(id))
    expect(twice.length).toBeLessThanOrEqual(1)
    expect(ranAfter.filter((id) => durable.has(id))).toEqual([])
    expect(kept.steps).toEqual(every)
    expect(end).toMatchObject({ kind: 'final_answer', text: 'All five are there.', totals: { toolCalls: 9 } })
  },
)

const anyTurn: fc.Arbitrary<Turn> = fc.oneof(
  fc.constantFrom<Turn>('', 'Done.'),
  fc.array(
    fc.constantFrom(read('a'), write('a'), call('no_tool'), { ...read('b'), malformed: 'It is not JSON.' }),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
)

test('however often a run is killed and whatever its model does, it says and does the same as one that was not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyTurn, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(3), { maxLength: 6 }),
      async (script, kills) => {
        // By what it is shown; a nudge is an answer that left no message of its own.
        const parts = () => {
          const { model } = scriptedModel((_, { messages }) => {
            const rounds = messages.filter(({ role }) => role === 'assistant' || role === 'user').length - 1
            return script[rounds % script.length] ?? ''
          })
          return { model, ...scriptedToolbox(() => ({ success: true })) }
        }
        const whole = parts()
        const expected = await runLoop(loopInput(whole.model, whole.toolbox).input)
        const { model, toolbox, ran } = parts()
        const kept = hub()
        for (const after of [...kills, Infinity]) {
          let steps = 0
          const checkpoint = async (said: LoopCheckpoint) => {
            kept.keep(said)
            if ((steps += 1) > after) throw new Killed()
          }
          const run = runLoop(
            loopInput(model, toolbox, { progress: kept.progress(), on: { checkpoint } }).input,
          )
          const end = await run.catch((error: unknown) => error)
          if (end instanceof Killed) continue
          expect(end).toMatchObject({ kind: expected.kind, messages: expected.messages })
          break
        }
        expect(ran).toEqual(whole.ran)
        expect(kept.messages).toEqual(expected.messages)
      },
    ),
    { numRuns: 200 },
  )
})

test('an answer that was recorded is the end of the loop; the model is not asked for another', async () => {
  const { model, requests, toolbox } = line()
  const first = await runLoop(loopInput(model, toolbox).input)
  const asked = requests.length
  const again = await runLoop(
    loopInput(model, toolbox, { progress: goOn(first.messages, first.state) }).input,
  )
  expect(again).toMatchObject({ kind: 'final_answer', text: 'All five are there.' })
  expect(requests.length).toBe(asked)
})

test('time, tokens and money of an earlier run count in the one that goes on', async () => {
  const { model, toolbox } = line()
  const state = {
    ...firstState,
    elapsedMs: 50_000,
    costMicroUsd: 7,
    usage: { ...firstState.usage, inputTokens: 11 },
  }
  const progress = goOn(begin('You are a test.', 'Do it.').messages, state)
  const end = await runLoop(loopInput(model, toolbox, { progress, limits: { wallMs: 50_000 } }).input)
  expect(end).toMatchObject({ kind: 'limit', ending: 'timed_out', totals: { costMicroUsd: 7 } })
  expect(end.totals.usage.inputTokens).toBe(11)
})

test('after failed checks there are iterations again, and what it cost adds up', async () => {
  const { model, requests, toolbox } = line()
  const first = await runLoop(loopInput(model, toolbox).input)
  const end = await runLoop(loopInput(model, toolbox, { progress: tryAgain(first, 'The tests fail.') }).input)
  expect(requests.at(-1)?.messages.at(-1)).toEqual({ role: 'user', text: 'The tests fail.', keep: true })
  expect(end.state).toMatchObject({ iterations: 1, fixes: 1, steps: 16, usage: { inputTokens: 700 } })
  expect(end.state.written).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('of several corrective prompts only the task and the last one are kept whatever the room', () => {
  const again = tryAgain(tryAgain(begin('s', 'task'), 'first'), 'second')
  expect(again.messages.map((each) => (each.role === 'user' ? [each.text, each.keep] : each.role))).toEqual([
    'system',
    ['task', true],
    ['first', false],
    ['second', true],
  ])
})

test('a stored state that makes no sense is as at the beginning, field by field', () => {
  const stored = {
    steps: -1,
    iterations: 'x',
    round: 4,
    written: ['a', 1],
    usage: { inputTokens: 3, other: 1 },
    more: 1,
  }
  expect(goOn([], stored).state).toEqual({
    ...firstState,
    written: ['a'],
    usage: { ...firstState.usage, inputTokens: 3 },
  })
  expect(goOn([], { usage: null, roundsWithoutWrite: 2, toolCalls: Number.NaN }).state).toEqual({
    ...firstState,
    roundsWithoutWrite: 2,
  })
})
