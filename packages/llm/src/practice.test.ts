import { describe, expect, it } from 'vitest'
import type { Model, ModelEnd, ModelEvent, ModelMessage, ModelRequest } from './model.ts'
import { createPracticeModel } from './practice.ts'
import type { PracticeScript } from './practice-script.ts'

const script: PracticeScript = {
  turns: [
    { say: 'I look at the file that the task names.', calls: [{ tool: 'read_file', args: { path: 'a' } }] },
    { calls: [{ tool: 'run_command', args: { command: 'npm test' } }] },
    { say: 'All of it is done and the test passes now.' },
  ],
}

async function play(model: Model, more: Partial<ModelRequest> = {}) {
  const events: ModelEvent[] = []
  const signal = new AbortController().signal
  for await (const event of model.ask({ messages: [], tools: [], signal, ...more })) events.push(event)
  const last = events.at(-1)
  if (last?.type !== 'end') throw new Error('no end')
  const texts = events.flatMap((event) => (event.type === 'text' ? [event.text] : []))
  return { end: last.end, texts, events }
}

const answered = (end: ModelEnd) => {
  if (!end.ok) throw new Error(end.failure.message)
  return end
}

const afterAnswers = (n: number): ModelMessage[] => [
  { role: 'user', text: 'do it' },
  ...Array.from({ length: n }, (): ModelMessage => ({ role: 'assistant', text: 'x', calls: [] })),
]

describe('the practice model', () => {
  const model = createPracticeModel(script)

  it('plays the turn that follows the answers that are there', async () => {
    const ends = await Promise.all([0, 1, 2].map((n) => play(model, { messages: afterAnswers(n) })))
    expect(ends.map(({ end }) => answered(end).calls.map((call) => call.name))).toEqual([
      ['read_file'],
      ['run_command'],
      [],
    ])
  })

  it('plays the turn that it is told, also when the answers before it were condensed away', async () => {
    const { end } = await play(model, { messages: afterAnswers(0), turn: 2 })
    expect(answered(end).text).toBe('[practice] All of it is done and the test passes now.')
  })

  it('labels every answer, also one without words and one after the last turn', async () => {
    for (const turn of [0, 1, 2, 3, 99]) {
      const { end } = await play(model, { turn })
      expect(answered(end).text).toMatch(/^\[practice\] \S/)
    }
    const { end } = await play(model, { turn: 3 })
    expect(answered(end)).toMatchObject({ calls: [], text: expect.stringMatching(/at its end/) })
  })

  it('streams in several pieces that make up the text', async () => {
    const { end, texts } = await play(model)
    expect(texts.length).toBeGreaterThan(2)
    expect(texts.join('')).toBe(answered(end).text)
  })

  it('says the same each time', async () => {
    expect(await play(model)).toEqual(await play(model))
  })

  it('estimates its usage and says so', async () => {
    const { end } = await play(model, { messages: [{ role: 'user', text: 'a'.repeat(3500) }] })
    expect(end.usage).toMatchObject({ estimated: true, inputTokens: 1004 })
    expect(end.usage.outputTokens).toBeGreaterThan(10)
  })

  it.each(['unavailable', 'busy', 'quota', 'invalid_request', 'refused'] as const)(
    'fails as %s before it said anything, if the script says so',
    async (fail) => {
      const { end, events } = await play(createPracticeModel({ turns: [{ fail, say: 'no' }] }))
      expect(end).toMatchObject({ ok: false, failure: { class: fail }, usage: { outputTokens: 0 } })
      expect(events).toHaveLength(1)
    },
  )

  it('is cut off in the middle of what it says', async () => {
    const turns = [{ fail: 'cut_off' as const, say: 'one two three four five six seven eight nine' }]
    const { end, texts } = await play(createPracticeModel({ turns }))
    expect(end).toMatchObject({ ok: false, failure: { class: 'cut_off' }, usage: { estimated: true } })
    expect(texts.join('')).toMatch(/^\[practice\] one/)
    expect(texts.join('')).not.toMatch(/nine/)
  })

  it('names the time after which a used up quota is there again', async () => {
    const before = Date.now()
    const { end } = await play(createPracticeModel({ turns: [{ fail: 'quota', resetMs: 60_000 }] }))
    const resetAt = end.ok ? undefined : end.failure.resetAt
    expect(resetAt?.getTime()).toBeGreaterThanOrEqual(before + 60_000)
  })

  it('waits, and stops waiting when it is aborted or may be silent no longer', async () => {
    const slow = createPracticeModel({ turns: [{ waitMs: 3_600_000, say: 'late' }] })
    const ends = await Promise.all([
      play(slow, { signal: AbortSignal.timeout(20) }),
      play(slow, { silenceMs: 20 }),
    ])
    expect(ends.map(({ end }) => !end.ok && end.failure.class)).toEqual(['aborted', 'unavailable'])
  })
})
