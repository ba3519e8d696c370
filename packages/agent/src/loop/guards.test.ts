import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ModelMessage, ToolCall } from '@muster/llm/model'
import { firstLimit } from './guards.ts'
import { runLoop, type LoopCheckpoint } from './loop.ts'
import { call, loopInput, scriptedModel, scriptedToolbox, type Turn } from './scripted.fixture.ts'
import { afterAnswer, fingerprint, firstState, type LoopState } from './state.ts'
import { limitsFor, type LoopLimits } from './tiers.ts'

const limits: LoopLimits = { ...limitsFor('standard'), microUsd: 1_000, tokens: 5_000, wallMs: 60_000 }
const usage = (inputTokens: number, outputTokens: number) => ({
  usage: { ...firstState.usage, inputTokens, outputTokens },
})

test.each<[string, Partial<LoopState>, Partial<LoopState>]>([
  ['timed_out', { elapsedMs: 59_999 }, { elapsedMs: 60_000 }],
  ['budget_exhausted', usage(4_000, 999), usage(4_000, 1_000)],
  ['budget_exhausted', { costMicroUsd: 999 }, { costMicroUsd: 1_000 }],
  ['budget_exhausted', { iterations: 9 }, { iterations: 10 }],
  ['stalled', { malformedRounds: 2 }, { malformedRounds: 3 }],
  ['stalled', { emptyAnswers: 2 }, { emptyAnswers: 3 }],
  ['stalled', { roundsWithoutWrite: 4 }, { roundsWithoutWrite: 5 }],
  ['repeated', { round: 'x', sameRounds: 2 }, { round: 'x', sameRounds: 3 }],
])('%s comes at its number and not one before', (ending, before, at) => {
  expect(firstLimit({ ...firstState, ...before }, limits)).toBeUndefined()
  expect(firstLimit({ ...firstState, ...at }, limits)).toMatchObject({ ending })
})

test('each guard says in a sentence of its own what ended the loop', () => {
  const states: Partial<LoopState>[] = [
    { elapsedMs: 60_000 },
    usage(4_000, 1_000),
    { costMicroUsd: 1_000 },
    { iterations: 10 },
    { malformedRounds: 3 },
    { emptyAnswers: 3 },
    { roundsWithoutWrite: 5 },
    { round: 'x', sameRounds: 3 },
  ]
  const reasons = states.map((state) => firstLimit({ ...firstState, ...state }, limits)?.reason)
  expect(new Set(reasons).size).toBe(states.length)
  expect(reasons.join('\n')).toMatchInlineSnapshot(`
    "The 60 s for this work are over.
    5000 of 5000 tokens are used up.
    $0.0010 of $0.0010 are spent.
    All 10 iterations are used up, and the model had not finished.
    In 3 rounds in a row no call of the model could be understood.
    The model gave no usable answer 3 times in a row, although it was asked to go on.
    No file was written in the 5 rounds since the last one was.
    The model made the same calls in 3 rounds in a row."
  `)
})

test('no money is not the same as a budget of nothing for a model that costs nothing', () => {
  expect(firstLimit(firstState, { ...limits, microUsd: 0 })).toBeUndefined()
  expect(firstLimit({ ...firstState, costMicroUsd: 1 }, { ...limits, microUsd: 0 })).toMatchObject({
    ending: 'budget_exhausted',
  })
  expect(firstLimit({ ...firstState, costMicroUsd: 1e9 }, { ...limits, microUsd: null })).toBeUndefined()
})

test('a tier has the iterations of LOOP-02, and a setting overrides one number', () => {
  expect((['trivial', 'standard', 'complex'] as const).map((tier) => limitsFor(tier).iterations)).toEqual([
    5, 10, 20,
  ])
  expect(limitsFor('trivial', { iterations: 7, tokens: undefined })).toEqual({
    ...limitsFor('trivial'),
    iterations: 7,
  })
})

const args = fc.dictionary(fc.constantFrom('path', 'content', '1', '0'), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 3,
})
const anyCall = fc.record({
  id: fc.constant(''),
  name: fc.constantFrom('read_file', 'write_file', 'no_tool'),
  args,
})

test('rounds are the same exactly when names and arguments are', () => {
  fc.assert(
    fc.property(
      fc.array(anyCall, { minLength: 1, maxLength: 3 }),
      fc.array(anyCall, { minLength: 1, maxLength: 3 }),
      (a, b) => {
        // Through JSON, as arguments come from a model: there is no -0 and no undefined in it.
        const plain = (calls: ToolCall[]) =>
          JSON.parse(JSON.stringify(calls.map(({ name, args }) => [name, args]))) as unknown
        expect(fingerprint(a) === fingerprint(b)).toBe(isDeepStrictEqual(plain(a), plain(b)))
      },
    ),
  )
})

test('the order of fields does not tell rounds apart, and the order of elements does', () => {
  const one = fingerprint([call('a', { x: 1, y: { b: [1, 2], a: 0 } })])
  expect(fingerprint([call('a', { y: { a: 0, b: [1, 2] }, x: 1 }, 'other id')])).toBe(one)
  expect(fingerprint([call('a', { x: 1, y: { a: 0, b: [2, 1] } })])).not.toBe(one)
})

test('rounds whose arguments differ each time are never taken for the same', () => {
  let state = firstState
  for (let at = 0; at < 50; at += 1) {
    state = {
      ...afterAnswer(state, [call('run_command', { command: `echo ${at}` })], false),
      iterations: 0,
      malformedRounds: 0,
    }
    expect(firstLimit(state, limits)).toBeUndefined()
  }
})

const malformedCall = anyCall.map((each) => ({ ...each, args: {}, malformed: 'The arguments are not JSON.' }))
const steady = fc.constantFrom(call('read_file', { path: 'a' }), call('write_file', { path: 'b' }))
const failure = fc.constantFrom(
  'busy' as const,
  'unavailable' as const,
  'cut_off' as const,
  'invalid_request' as const,
)
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('', '  \n', 'I am done.') },
  {
    weight: 3,
    arbitrary: fc.array(fc.oneof(anyCall, malformedCall, steady), { minLength: 1, maxLength: 25 }),
  },
  { weight: 4, arbitrary: fc.array(steady, { minLength: 1, maxLength: 2 }) },
  {
    weight: 1,
    arbitrary: failure.map((is) => ({ fails: { class: is, message: 'context length exceeded' } })),
  },
)

test('whatever a model does, the loop ends within its bounds, with one ending, and with none before its number', async () => {
  const small = { iterations: 6, tokens: 1_000, microUsd: 80, callsPerAnswer: 4 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(turn, { minLength: 1, maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
      async (turns, successes) => {
        const { model, requests } = scriptedModel((at) => turns[at % turns.length] ?? '')
        const { toolbox, ran } = scriptedToolbox(() => ({
          success: successes[ran.length % successes.length] === true,
        }))
        const { input, checkpoints } = loopInput(model, toolbox, {
          budget: { costOf: () => 13 },
          limits: small,
        })
        const end = await runLoop(input)
        expect(end.totals.iterations).toBeLessThanOrEqual(small.iterations)
        expect(requests.length).toBeLessThanOrEqual(small.iterations * 4)
        expect(ran.length).toBeLessThanOrEqual(small.iterations * small.callsPerAnswer)
        expect(checkpoints.map(({ step }) => step.seq)).toEqual(checkpoints.map((_, at) => at + 1))
        expect(checkpoints.flatMap(({ added }) => added)).toEqual(end.messages)
        if (end.kind === 'limit')
          expect(seenLimits(checkpoints, end.messages, input.limits)).toContain(end.ending)
        if (end.kind === 'final_answer') expect(end.text.trim()).not.toBe('')
        expect(['final_answer', 'limit', 'model_failed']).toContain(end.kind)
      },
    ),
    { numRuns: 300 },
  )
})

/** Counted anew from what was recorded, without the state that the guards saw. */
function seenLimits(checkpoints: LoopCheckpoint[], messages: ModelMessage[], limits: LoopLimits): string[] {
  const asked = checkpoints.map(({ step }) => step).filter((step) => step.kind === 'model')
  const spent = asked.reduce(
    (sum, { usage }) => sum + (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0),
    0,
  )
  const rounds = messages.flatMap((message) => (message.role === 'assistant' ? [message.calls] : []))
  const said = rounds.slice(-3).map((calls) => calls.map(({ name, args }) => [name, args]))
  const answers = asked.filter((step) => step.success)
  const lastWrite = checkpoints.findLastIndex(({ step }) => step.tool === 'write_file' && step.success)
  const after = checkpoints.slice(lastWrite + 1).filter(({ step }) => step.kind === 'model' && step.success)
  const codes = messages.flatMap((message) =>
    message.role === 'tool' ? [JSON.parse(message.text).code as string] : [],
  )
  const lastCodes = codes.slice(-3)
  return [
    ...(spent >= limits.tokens || asked.length * 13 >= (limits.microUsd ?? 0) ? ['budget_exhausted'] : []),
    ...(answers.length >= limits.iterations ? ['budget_exhausted'] : []),
    ...(said.length === 3 && said.every((calls) => isDeepStrictEqual(calls, said[0])) ? ['repeated'] : []),
    ...(answers.length >= 3 && answers.slice(-3).every((step) => step.result === 'nothing')
      ? ['stalled']
      : []),
    ...(lastWrite >= 0 && after.length >= limits.roundsWithoutWrite ? ['stalled'] : []),
    ...(lastCodes.length === 3 && lastCodes.every((code) => ['MALFORMED_CALL', 'UNKNOWN_TOOL'].includes(code))
      ? ['stalled']
      : []),
  ]
}
