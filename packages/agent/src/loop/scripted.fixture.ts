import type { Model, ModelEnd, ModelEvent, ModelRequest, ToolCall, Usage } from '@muster/llm/model'
import type { LoopCheckpoint, LoopInput } from './loop.ts'
import { begin } from './progress.ts'
import { limitsFor, type LoopLimits } from './tiers.ts'
import type { Observation, Toolbox } from './toolbox.ts'

/** What a scripted model does in one call. */
export type Turn =
  | string
  | ToolCall[]
  | { fails: Extract<ModelEnd, { ok: false }>['failure'] }
  | { events: ModelEvent[] }
  | { hangs: true; keepsContract: boolean }

export const usage: Usage = {
  inputTokens: 100,
  outputTokens: 10,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
}

/** Plays its turns by the number of the call, and says what it was asked. */
export function scriptedModel(turnAt: (call: number, request: ModelRequest) => Turn) {
  const requests: ModelRequest[] = []
  const model: Model = {
    name: 'scripted',
    provider: 'practice',
    contextTokens: 8_192,
    async *ask(request) {
      requests.push({ ...request, messages: [...request.messages] })
      const turn = turnAt(requests.length - 1, request)
      if (typeof turn === 'string') {
        if (turn !== '') yield { type: 'text', text: turn }
        yield { type: 'end', end: { ok: true, text: turn, calls: [], usage, why: 'stop' } }
      } else if (Array.isArray(turn)) {
        yield { type: 'end', end: { ok: true, text: '', calls: turn, usage, why: 'stop' } }
      } else if ('fails' in turn) {
        yield { type: 'end', end: { ok: false, failure: turn.fails, usage } }
      } else if ('events' in turn) {
        yield* turn.events
      } else {
        await hang(turn.keepsContract ? request.signal : undefined)
        yield { type: 'end', end: { ok: false, failure: { class: 'aborted', message: 'told to' }, usage } }
      }
    },
  }
  return { model, requests }
}

export const turns =
  (list: Turn[], last: Turn = 'done') =>
  (call: number): Turn =>
    list[call] ?? last

export function scriptedToolbox(
  answer: (call: ToolCall, signal: AbortSignal) => Observation | Promise<Observation>,
) {
  const ran: ToolCall[] = []
  const names = ['read_file', 'write_file', 'edit_file', 'run_command']
  const toolbox: Toolbox = {
    specs: names.map((name) => ({ name, description: `${name}.`, parameters: { properties: { path: {} } } })),
    async run(call, { signal }) {
      if (!names.includes(call.name)) return { success: false, code: 'UNKNOWN_TOOL', error: 'No such tool.' }
      ran.push(call)
      return { changed: call.name.startsWith('write'), ...(await answer(call, signal)) }
    },
  }
  return { toolbox, ran }
}

export const call = (name: string, args: Record<string, unknown> = {}, id = ''): ToolCall => ({
  id,
  name,
  args,
})

export function loopInput(
  model: Model,
  toolbox: Toolbox,
  over: Partial<Omit<LoopInput, 'limits' | 'on'>> & {
    limits?: Partial<LoopLimits>
    on?: Partial<LoopInput['on']>
  } = {},
) {
  const checkpoints: LoopCheckpoint[] = []
  const slept: number[] = []
  const input: LoopInput = {
    model,
    toolbox,
    progress: begin('You are a test.', 'Do it.'),
    budget: { costOf: () => 0 },
    signal: new AbortController().signal,
    sleep: async (ms) => void slept.push(ms),
    ...over,
    limits: limitsFor('complex', over.limits),
    on: {
      async checkpoint(checkpoint) {
        checkpoints.push(structuredClone(checkpoint))
        return over.on?.checkpoint?.(checkpoint)
      },
      delta: over.on?.delta,
    },
  }
  return { input, checkpoints, slept }
}

function hang(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
}
