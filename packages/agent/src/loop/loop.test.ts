import { expect, test } from 'vitest'
import type { ModelFailure } from '@muster/llm/model'
import { runLoop } from './loop.ts'
import { call, loopInput, scriptedModel, scriptedToolbox, turns } from './scripted.fixture.ts'

const zero = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: false }
const fine = () => ({ success: true, note: 'fine' })

test('calls are run in their order, each told to the model, until it answers without one', async () => {
  const { model, requests } = scriptedModel(
    turns([
      [call('read_file', { path: 'a' }, '1'), call('run_command', { command: 'x' }, '2')],
      'It is done.',
    ]),
  )
  const { toolbox, ran } = scriptedToolbox(({ name }) => ({
    success: true,
    name,
    changed: name !== 'read_file',
  }))
  const { input, checkpoints } = loopInput(model, toolbox)
  const end = await runLoop(input)
  expect(end).toMatchObject({ kind: 'final_answer', text: 'It is done.' })
  expect(ran.map((each) => each.name)).toEqual(['read_file', 'run_command'])
  expect(requests[1]?.messages.slice(2)).toEqual([
    {
      role: 'assistant',
      text: '',
      calls: [call('read_file', { path: 'a' }, '1'), call('run_command', { command: 'x' }, '2')],
    },
    { role: 'tool', callId: '1', name: 'read_file', text: '{"success":true,"name":"read_file"}' },
    { role: 'tool', callId: '2', name: 'run_command', text: '{"success":true,"name":"run_command"}' },
  ])
  expect(checkpoints.map(({ step, changed }) => [step.seq, step.kind, step.tool, changed])).toEqual([
    [1, 'model', null, false],
    [2, 'tool', 'read_file', false],
    [3, 'tool', 'run_command', true],
    [4, 'model', null, false],
  ])
  expect(checkpoints.flatMap((each) => each.added)).toEqual(end.messages)
  expect(end.totals).toMatchObject({
    iterations: 2,
    steps: 4,
    toolCalls: 2,
    usage: { inputTokens: 200, outputTokens: 20 },
  })
})

test('the next step waits until the one before is durable', async () => {
  const order: string[] = []
  const { model } = scriptedModel(turns([[call('read_file', {}, '1'), call('read_file', {}, '2')]]))
  const { toolbox } = scriptedToolbox(({ id }) => {
    order.push(`runs ${id}`)
    return { success: true }
  })
  const checkpoint = async ({ step }: { step: { seq: number } }) => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(`durable ${step.seq}`)
  }
  await runLoop(loopInput(model, toolbox, { on: { checkpoint } }).input)
  expect(order).toEqual(['durable 1', 'runs 1', 'durable 2', 'runs 2', 'durable 3', 'durable 4'])
})

test('a step that cannot be made durable ends the loop with that error, and nothing is run after it', async () => {
  const { model, requests } = scriptedModel(turns([[call('read_file')]]))
  const { toolbox, ran } = scriptedToolbox(fine)
  const checkpoint = async () => Promise.reject(new Error('the disk is full'))
  await expect(runLoop(loopInput(model, toolbox, { on: { checkpoint } }).input)).rejects.toThrow(
    'the disk is full',
  )
  expect([requests.length, ran.length]).toEqual([1, 0])
})

test('a call that cannot be read or names no tool is answered with what is wrong, and a right one after it is run', async () => {
  const malformed = { ...call('read_file', {}, '1'), malformed: 'The arguments are not JSON.' }
  const { model, requests } = scriptedModel(
    turns([[malformed], [call('reed_file', {}, '2')], [call('read_file', { path: 'a' }, '3')], 'done']),
  )
  const { toolbox, ran } = scriptedToolbox(fine)
  const { input, checkpoints } = loopInput(model, toolbox)
  expect(await runLoop(input)).toMatchObject({ kind: 'final_answer', state: { malformedRounds: 0 } })
  expect(ran.map((each) => each.id)).toEqual(['3'])
  const told = requests[3]?.messages.flatMap((message) =>
    message.role === 'tool' ? [JSON.parse(message.text)] : [],
  )
  expect(told).toEqual([
    {
      success: false,
      code: 'MALFORMED_CALL',
      error: 'The arguments are not JSON. This call was not run.',
      arguments: { path: {} },
    },
    {
      success: false,
      code: 'UNKNOWN_TOOL',
      error: 'No such tool.',
    },
    { success: true, note: 'fine' },
  ])
  expect(checkpoints[1]?.step).toMatchObject({ tool: 'read_file', success: false, code: 'MALFORMED_CALL' })
})

test('a model that changes files by commands is not taken for one that writes nothing, if a checkpoint sees it', async () => {
  const run = async (found: { changed: boolean } | undefined) => {
    const { model } = scriptedModel((at) =>
      at === 0 ? [call('write_file', { path: 'a' })] : [call('run_command', { command: `sed -i ${at}d a` })],
    )
    const on = {
      checkpoint: async ({ step }: { step: { kind: string } }) => (step.kind === 'tool' ? found : undefined),
    }
    return runLoop(loopInput(model, scriptedToolbox(fine).toolbox, { on, limits: { iterations: 9 } }).input)
  }
  expect(await run({ changed: true })).toMatchObject({
    ending: 'budget_exhausted',
    totals: { iterations: 9 },
  })
  expect(await run({ changed: false })).toMatchObject({ ending: 'stalled', totals: { iterations: 6 } })
  expect(await run(undefined)).toMatchObject({
    ending: 'stalled',
    totals: { iterations: 6, filesWritten: ['a'] },
  })
})

test('a model that makes the same call again is told, before the third time ends the loop', async () => {
  const { model } = scriptedModel(() => [call('read_file', { path: 'a' })])
  const { toolbox, ran } = scriptedToolbox(() => ({ success: true }))
  const { messages, ...end } = await runLoop(loopInput(model, toolbox).input)
  expect(end).toMatchObject({ kind: 'limit', ending: 'repeated' })
  expect(ran.length).toBe(3)
  const told = messages.flatMap((message) =>
    message.role === 'tool' ? [message.text.includes('Do something else')] : [],
  )
  expect(told).toEqual([false, true, true])
})

test('of too many calls at once the first are run and the model is told that the rest were not', async () => {
  const many = Array.from({ length: 100 }, (_, at) => call('read_file', { path: String(at) }))
  const { model } = scriptedModel(turns([many]))
  const { toolbox, ran } = scriptedToolbox(fine)
  const end = await runLoop(loopInput(model, toolbox, { limits: { callsPerAnswer: 4 } }).input)
  expect(ran.map((each) => each.args['path'])).toEqual(['0', '1', '2', '3'])
  expect(end.messages.findLast((message) => message.role === 'tool')?.text).toContain(
    'You made 100 calls at once.',
  )
  expect(new Set(ran.map((each) => each.id)).size).toBe(4)
})

test('what no message can hold is cut, taken out or told to the model, and never handed on', async () => {
  const long = call('write_file', { path: 'a', content: 'x'.repeat(300_000) })
  const odd = call(`read\0${'y'.repeat(500)}`)
  const text = `a\0b\ud800${'z'.repeat(300_000)}`
  const end = { ok: true as const, text, calls: [long, odd], usage: zero, why: 'stop' as const }
  const { model } = scriptedModel(turns([{ events: [{ type: 'end', end }] }]))
  const { toolbox, ran } = scriptedToolbox(fine)
  const { messages } = await runLoop(loopInput(model, toolbox).input)
  expect(ran).toEqual([])
  expect(JSON.stringify(messages).length).toBeLessThan(210_000)
  expect(messages.some((message) => message.text.includes('\0') || !message.text.isWellFormed())).toBe(false)
  expect(messages[3]?.text).toContain('The arguments are 300025 characters long; at most 200000 are read.')
})

test('an answer that was cut at its limit is no final answer', async () => {
  const cut = { ok: true as const, text: 'The plan is', calls: [], usage: zero, why: 'length' as const }
  const { model, requests } = scriptedModel(turns([{ events: [{ type: 'end', end: cut }] }, 'Done.']))
  const end = await runLoop(loopInput(model, scriptedToolbox(fine).toolbox).input)
  expect(end).toMatchObject({ kind: 'final_answer', text: 'Done.' })
  expect(requests[1]?.messages.at(-1)).toMatchObject({
    role: 'user',
    text: expect.stringContaining('cut at its length'),
  })
})

const failure = (is: ModelFailure['class'], message = 'x'): { fails: ModelFailure } => ({
  fails: { class: is, message },
})

test('a model that fails in passing is asked again after 1 s and 4 s, and its answer starts the count anew', async () => {
  const { model, requests } = scriptedModel(
    turns([failure('busy'), failure('cut_off'), [call('read_file')], failure('unavailable'), 'Done.']),
  )
  const { input, checkpoints, slept } = loopInput(model, scriptedToolbox(fine).toolbox)
  expect(await runLoop(input)).toMatchObject({ kind: 'final_answer', totals: { iterations: 2 } })
  expect([requests.length, slept]).toEqual([5, [1_000, 4_000, 1_000]])
  expect(checkpoints.map(({ step }) => step.code)).toEqual([
    'busy',
    'cut_off',
    null,
    null,
    'unavailable',
    null,
  ])
})

test.each(['busy', 'unavailable', 'cut_off'] as const)(
  'a model that stays %s ends the loop after two more tries',
  async (is) => {
    const { model, requests } = scriptedModel(() => failure(is))
    const end = await runLoop(loopInput(model, scriptedToolbox(fine).toolbox).input)
    expect(end).toMatchObject({
      kind: 'model_failed',
      failure: { class: is },
      reason: `scripted (practice): ${is}: x`,
    })
    expect(requests.length).toBe(3)
  },
)

test.each(['quota', 'invalid_request', 'refused'] as const)(
  '%s ends the loop at once, with all that was said',
  async (is) => {
    const resetAt = new Date(0)
    const { model, requests } = scriptedModel(() => ({ fails: { class: is, message: 'no', resetAt } }))
    const end = await runLoop(loopInput(model, scriptedToolbox(fine).toolbox).input)
    expect(end).toMatchObject({ kind: 'model_failed', failure: { class: is, resetAt } })
    expect(requests.length).toBe(1)
  },
)

test('a conversation that grows beyond the window is shown shorter, with the task in it, and is recorded whole', async () => {
  const { model, requests } = scriptedModel((at) =>
    at < 8 ? [call('read_file', { path: String(at) })] : 'Done.',
  )
  const { toolbox } = scriptedToolbox(() => ({ success: true, content: 'word '.repeat(2_000) }))
  const end = await runLoop(loopInput(model, toolbox).input)
  expect(end.kind).toBe('final_answer')
  expect(JSON.stringify(end.messages).length).toBeGreaterThan(80_000)
  for (const { messages, maxOutputTokens = 0 } of requests) {
    expect(JSON.stringify(messages).length / 3.5 + maxOutputTokens).toBeLessThan(8_192 * 1.05)
    expect(maxOutputTokens).toBeGreaterThanOrEqual(2_048)
    expect(messages[1]).toMatchObject({ role: 'user', text: 'Do it.' })
  }
})

test('a conversation that its server finds too long is made shorter once, and if that is not enough the loop ends', async () => {
  const refusal = failure('invalid_request', 'prompt is too long: 9000 tokens > 8192 maximum')
  const { model, requests } = scriptedModel((at) =>
    at < 4 ? [call('read_file', { path: String(at) })] : refusal,
  )
  const { toolbox } = scriptedToolbox(() => ({ success: true, content: 'word '.repeat(1_000) }))
  const end = await runLoop(loopInput(model, toolbox).input)
  expect(end).toMatchObject({ kind: 'model_failed', failure: { class: 'invalid_request' } })
  const [first = 0, second = 0] = requests.slice(4).map(({ messages }) => JSON.stringify(messages).length)
  expect(requests.length).toBe(6)
  expect(second).toBeLessThan(first)
})

test('a stop in the middle of a call of a tool records nothing of it and asks nobody any more', async () => {
  const stop = new AbortController()
  const { model, requests } = scriptedModel(turns([[call('read_file'), call('run_command')]]))
  const { toolbox, ran } = scriptedToolbox(async (_, signal) => {
    stop.abort()
    signal.throwIfAborted()
    return { success: true }
  })
  const { input, checkpoints } = loopInput(model, toolbox, { signal: stop.signal })
  expect(await runLoop(input)).toMatchObject({ kind: 'stopped', totals: { steps: 1 } })
  expect([requests.length, ran.length, checkpoints.length]).toEqual([1, 1, 1])
})

test('a stop while the model answers ends the loop as stopped', async () => {
  const stop = new AbortController()
  const { model } = scriptedModel(() => {
    setImmediate(() => stop.abort())
    return { hangs: true, keepsContract: true }
  })
  const { input, checkpoints } = loopInput(model, scriptedToolbox(fine).toolbox, { signal: stop.signal })
  expect(await runLoop(input)).toMatchObject({ kind: 'stopped', totals: { iterations: 0 } })
  expect(checkpoints).toEqual([])
})

test.each([true, false])(
  'a model that never ends is cut off by the limit of a call (keeps its contract: %s)',
  async (keepsContract) => {
    const { model, requests } = scriptedModel(turns([{ hangs: true, keepsContract }], 'Done.'))
    const { input, checkpoints } = loopInput(model, scriptedToolbox(fine).toolbox, { limits: { callMs: 20 } })
    expect(await runLoop(input)).toMatchObject({ kind: 'final_answer' })
    expect(checkpoints[0]?.step).toMatchObject({
      code: 'cut_off',
      result: 'The model did not end its answer within 0.02 s.',
    })
    expect(requests.length).toBe(2)
  },
)

test('the end of its time stops a model in the middle of an answer, as timed out', async () => {
  const { model } = scriptedModel(() => ({ hangs: true, keepsContract: true }))
  const end = await runLoop(loopInput(model, scriptedToolbox(fine).toolbox, { limits: { wallMs: 30 } }).input)
  expect(end).toMatchObject({ kind: 'limit', ending: 'timed_out' })
})

test('the end of its time stops a tool, and a tool that does not hear it is waited for no longer', async () => {
  const { model } = scriptedModel(() => [call('run_command')])
  const { toolbox } = scriptedToolbox(
    (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  const end = await runLoop(loopInput(model, toolbox, { limits: { wallMs: 30 } }).input)
  expect(end).toMatchObject({ kind: 'limit', ending: 'timed_out', totals: { steps: 1 } })
})

test('money is counted after each call of the model, and no call is made once it is spent', async () => {
  const { model, requests } = scriptedModel((at) => [call('read_file', { path: String(at) })])
  const budget = { costOf: () => 40 }
  const end = await runLoop(
    loopInput(model, scriptedToolbox(fine).toolbox, { budget, limits: { microUsd: 100 } }).input,
  )
  expect(end).toMatchObject({ kind: 'limit', ending: 'budget_exhausted', totals: { costMicroUsd: 120 } })
  expect(requests.length).toBe(3)
})

test('whoever keeps the budget is asked before every call of the model, and its word ends the loop', async () => {
  const { model, requests } = scriptedModel((at) => [call('read_file', { path: String(at) })])
  const refuse = async ({ iterations }: { iterations: number }) =>
    iterations < 2 ? undefined : 'The goal has no money left.'
  const budget = { costOf: () => 0, refuse }
  const end = await runLoop(loopInput(model, scriptedToolbox(fine).toolbox, { budget }).input)
  expect(end).toMatchObject({
    kind: 'limit',
    ending: 'budget_exhausted',
    reason: 'The goal has no money left.',
  })
  expect(requests.length).toBe(2)
})

test('an answer may never be longer than the tokens that are left', async () => {
  const { model, requests } = scriptedModel((at) => [call('read_file', { path: String(at) })])
  const limits = { tokens: 250, outputTokens: 200 }
  const end = await runLoop(loopInput(model, scriptedToolbox(fine).toolbox, { limits }).input)
  expect(end).toMatchObject({
    kind: 'limit',
    ending: 'budget_exhausted',
    reason: '330 of 250 tokens are used up.',
  })
  expect(requests.map((request) => request.maxOutputTokens)).toEqual([200, 140, 30])
})

test('what the model says is streamed before the step that holds it', async () => {
  const heard: string[] = []
  const { model } = scriptedModel(turns(['Hello there.']))
  const on = {
    delta: ({ text }: { text: string }) => void heard.push(text),
    checkpoint: async ({ step }: { step: { text: string } }) => void heard.push(`step: ${step.text}`),
  }
  await runLoop(loopInput(model, scriptedToolbox(fine).toolbox, { on }).input)
  expect(heard).toEqual(['Hello there.', 'step: Hello there.'])
})
