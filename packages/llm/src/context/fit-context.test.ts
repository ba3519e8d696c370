import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelMessage } from '../model.ts'
import { calibrate } from './calibrate.ts'
import { createFit } from './fit.ts'
import { fitContext } from './fit-context.ts'
import { estimateRequest } from './tokens.ts'
import { trimText } from './trim.ts'

const system: ModelMessage = { role: 'system', text: 'You work in a repository.' }
const task: ModelMessage = { role: 'user', text: 'Correct the total. Criteria: the tests pass.' }

let made = 0
const turn = (name: string, args: Record<string, unknown>, result: string): ModelMessage[] => {
  const id = `call_${made++}`
  return [
    { role: 'assistant', text: '', calls: [{ id, name, args }] },
    { role: 'tool', callId: id, name, text: result },
  ]
}
const reading = (path: string, size: number) =>
  turn('read_file', { path }, JSON.stringify({ success: true, content: 'x'.repeat(size) }))

describe('a conversation that is too long', () => {
  it('is left alone as long as it fits', () => {
    const messages = [system, task, ...reading('a.js', 1000)]
    expect(fitContext({ messages, contextTokens: 8192, reserveForAnswer: 1000 })).toEqual({
      messages,
      tokens: estimateRequest(messages, []),
      fits: true,
    })
  })

  it('loses the middle of long results first, and says how much', () => {
    const messages = [
      system,
      task,
      ...reading('a.js', 30_000),
      ...['b', 'c', 'd'].flatMap((path) => reading(path, 100)),
    ]
    const { messages: fitted, fits } = fitContext({ messages, contextTokens: 4096, reserveForAnswer: 1000 })
    expect(fits).toBe(true)
    expect(fitted).toHaveLength(messages.length)
    expect(fitted[3]?.text).toMatch(/^\{"success":true.*\n… 2\d{4} characters left out …\nx+"\}$/s)
    expect(fitted[3]?.text.length).toBeLessThanOrEqual(4000)
    expect(fitted.slice(4)).toEqual(messages.slice(4))
  })

  it('then has its oldest turns in one message, with what was called on what and what failed', () => {
    const messages = [
      system,
      task,
      ...reading('src/a.js', 3000),
      ...turn('run_command', { command: 'npm test' }, '{"success":false,"code":"EXIT","exit_code":1}'),
      ...turn('run_command', { command: 'npm test' }, '{"success":false,"code":"EXIT","exit_code":1}'),
      { role: 'assistant', text: 'I am finished.', calls: [] } as ModelMessage,
      { role: 'user', text: 'The tests still fail.', keep: true } as ModelMessage,
      ...['x', 'y', 'z'].flatMap((path) => reading(path, 3000)),
    ]
    const { messages: fitted, fits } = fitContext({
      messages,
      contextTokens: 2048 + 1900,
      reserveForAnswer: 1200,
    })
    expect(fits).toBe(true)
    expect(fitted.slice(0, 2)).toEqual([system, task])
    expect(fitted[2]).toMatchObject({
      role: 'user',
      text: ['Earlier steps, shortened to make room:', '- read_file src/a.js'].join('\n'),
    })
    expect(fitted).toContainEqual({ role: 'user', text: 'The tests still fail.', keep: true })

    const tight = fitContext({ messages, contextTokens: 2200, reserveForAnswer: 1200 })
    expect(tight.fits).toBe(true)
    expect(tight.messages[2]?.text.split('\n')).toEqual([
      'Earlier steps, shortened to make room:',
      '- read_file src/a.js',
      '- run_command npm test: failed (2 times)',
      '- you said: I am finished.',
      expect.stringMatching(/^- read_file x/),
      '- read_file y',
    ])
    expect(tight.messages.at(-2)).toEqual(messages.at(-2))
  })

  it('says that it does not fit when even the least is too much', () => {
    const long: ModelMessage = { role: 'user', text: 'x'.repeat(50_000) }
    const { fits, messages } = fitContext({
      messages: [system, long],
      contextTokens: 4096,
      reserveForAnswer: 1000,
    })
    expect(fits).toBe(false)
    expect(messages).toEqual([system, long])
  })

  it('is made smaller for a model whose tokens are shorter, and each time the server says so', () => {
    const messages = [system, task, ...Array.from({ length: 20 }, (_, i) => reading(`f${i}`, 900)).flat()]
    const tokens = (scale: number, shrunk: number) => {
      const room = { contextTokens: 8192, maxOutputTokens: 1000, tools: [], shrunk }
      return estimateRequest(createFit({ scale: () => scale })(messages, room), [])
    }
    expect(tokens(1, 0)).toBe(estimateRequest(messages, []))
    expect(tokens(2, 0)).toBeLessThanOrEqual(7192 / 2)
    expect(tokens(1, 1)).toBeLessThanOrEqual(8192 * 0.7 - 1000)
  })
})

const word = fc.string({ maxLength: 400 })
const anyTurn = fc.oneof(
  fc
    .record({
      text: word,
      results: fc.array(fc.oneof(word, fc.constant('y'.repeat(9000))), { maxLength: 3 }),
    })
    .map(({ text, results }) => {
      const calls = results.map((_, i) => ({
        id: `c${made++}_${i}`,
        name: 'read_file',
        args: { path: text.slice(0, 9) },
      }))
      return [
        { role: 'assistant', text, calls },
        ...calls.map(({ id, name }, i) => ({ role: 'tool', callId: id, name, text: results[i] })),
      ] as ModelMessage[]
    }),
  fc
    .record({ text: word, keep: fc.boolean() })
    .map(({ text, keep }): ModelMessage[] => [{ role: 'user', text, keep }]),
)
const conversation = fc.array(anyTurn, { maxLength: 15 }).map((turns) => [system, task, ...turns.flat()])
const window = fc.integer({ min: 100, max: 12_000 })

describe('for every conversation and window', () => {
  const every = (
    check: (messages: ModelMessage[], input: { contextTokens: number; reserveForAnswer: number }) => void,
  ) =>
    fc.assert(
      fc.property(conversation, window, (messages, contextTokens) =>
        check(messages, { contextTokens, reserveForAnswer: 100 }),
      ),
      { numRuns: 300 },
    )

  it('what fits does fit, and what does not is said', () => {
    every((messages, input) => {
      const { messages: fitted, tokens, fits } = fitContext({ messages, ...input })
      expect(tokens).toBe(estimateRequest(fitted, []))
      expect(fits).toBe(tokens <= input.contextTokens - 100)
      expect(tokens).toBeLessThanOrEqual(Math.max(estimateRequest(messages, []), 0))
    })
  })

  it('the system, the task and what must be kept are there, as they were and in their order', () => {
    every((messages, input) => {
      const pinned = (all: ModelMessage[]) =>
        all.filter((each) => each === system || each === task || (each.role === 'user' && each.keep === true))
      const fitted = fitContext({ messages, ...input }).messages
      const summaries = fitted.filter(({ text }) => text.startsWith('Earlier steps, shortened'))
      expect(summaries.length).toBeLessThanOrEqual(1)
      expect(pinned(fitted).filter((each) => !summaries.includes(each))).toEqual(pinned(messages))
    })
  })

  it('what is left is in its order, and only results of tools are shorter', () => {
    every((messages, input) => {
      let from = 0
      for (const each of fitContext({ messages, ...input }).messages) {
        if (each.text.startsWith('Earlier steps, shortened')) continue
        const at = messages.findIndex(
          (original, i) =>
            i >= from &&
            (original === each ||
              (original.role === 'tool' &&
                each.role === 'tool' &&
                original.callId === each.callId &&
                each.text.length < original.text.length)),
        )
        expect(at).toBeGreaterThanOrEqual(from)
        from = at + 1
      }
    })
  })

  it('no result is without its call, and no call without its result', () => {
    every((messages, input) => {
      const open = new Set<string>()
      for (const each of fitContext({ messages, ...input }).messages) {
        if (each.role === 'tool') expect(open.delete(each.callId)).toBe(true)
        else expect(open.size).toBe(0)
        if (each.role === 'assistant') for (const { id } of each.calls) open.add(id)
      }
      expect(open.size).toBe(0)
    })
  })

  it('made to fit twice is the same as once', () => {
    every((messages, input) => {
      const once = fitContext({ messages, ...input }).messages
      expect(fitContext({ messages: once, ...input }).messages).toEqual(once)
    })
  })
})

describe('a text that is trimmed', () => {
  it('is never longer than it may be, keeps its ends, and is not trimmed again', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 500 }),
        fc.integer({ min: 60, max: 300 }),
        (text, most) => {
          const trimmed = trimText(text, most)
          expect(trimmed.length).toBeLessThanOrEqual(most)
          expect(trimText(trimmed, most)).toBe(trimmed)
          if (text.length <= most) expect(trimmed).toBe(text)
          else expect(trimmed).toMatch(/\n… \d+ characters left out …\n/)
          expect(trimmed.isWellFormed() || !text.isWellFormed()).toBe(true)
        },
      ),
    )
  })

  it('says exactly how many characters are gone', () => {
    const trimmed = trimText('a'.repeat(10_000), 1000)
    const said = Number(/… (\d+) characters/.exec(trimmed)?.[1])
    expect(trimmed.replace(/\n….*…\n/, '').length + said).toBe(10_000)
  })
})

describe('the scale of a model', () => {
  it('comes near to what its server counts, in steps, and follows no nonsense', () => {
    let scale = 1
    for (let i = 0; i < 20; i++) scale = calibrate(scale, { estimated: 100, counted: 150 })
    expect(scale).toBeCloseTo(1.5, 2)
    expect(calibrate(1, { estimated: 100, counted: 1e9 })).toBeLessThanOrEqual(1.6)
    expect(calibrate(1.2, { estimated: 0, counted: 50 })).toBe(1.2)
  })
})
