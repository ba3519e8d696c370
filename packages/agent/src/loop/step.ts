import type { Model, ModelEnd, ModelProvider, ToolCall, Usage } from '@muster/llm/model'
import type { Observation } from './toolbox.ts'

/** One call of the model or of a tool, as people see it (LOOP-07, AGT-13); texts are trimmed. */
export type Step = {
  /** From 1, over all attempts and resumed runs. */
  seq: number
  kind: 'model' | 'tool'
  model: string
  provider: ModelProvider
  /** What the model said. */
  text: string
  /** What the model called. */
  calls: { name: string; args: string }[]
  tool: string | null
  args: string
  result: string
  success: boolean
  code: string | null
  usage: Usage | null
  ms: number
  /** Since the work began, with the time of earlier runs. */
  startedAtMs: number
}

type Facts = Pick<Step, 'seq' | 'ms' | 'startedAtMs'> & { model: Model }

export function modelStep({ model, ...facts }: Facts, end: ModelEnd, calls: readonly ToolCall[]): Step {
  return {
    ...facts,
    kind: 'model',
    model: model.name,
    provider: model.provider,
    text: end.ok ? trim(end.text, 2_000) : '',
    calls: calls.map(({ name, args }) => ({ name: trim(name, 80), args: summary(args, 200) })),
    tool: null,
    args: '',
    result: trim(end.ok ? outcome(end, calls) : end.failure.message, 100),
    success: end.ok,
    code: end.ok ? null : end.failure.class,
    usage: end.usage,
  }
}

function outcome(end: Extract<ModelEnd, { ok: true }>, calls: readonly ToolCall[]): string {
  if (calls.length > 0) return `calls ${calls.map((call) => call.name).join(', ')}`
  if (end.why === 'length') return 'cut at the limit of an answer'
  return end.text.trim() === '' ? 'nothing' : 'answers'
}

export function toolStep({ model, ...facts }: Facts, call: ToolCall, observation: Observation): Step {
  const { success, code, error } = observation
  const rest = { ...observation, success: undefined, changed: undefined }
  return {
    ...facts,
    kind: 'tool',
    model: model.name,
    provider: model.provider,
    text: '',
    calls: [],
    tool: trim(call.name, 80),
    args: summary(call.args, 200),
    result: success || error === undefined ? summary(rest, 100) : trim(error, 100),
    success,
    code: code === undefined ? null : trim(code, 80),
    usage: null,
  }
}

function summary(value: Record<string, unknown>, max: number): string {
  const json = JSON.stringify(value)
  return json === '{}' ? '' : trim(json, max)
}

/** In whole characters and without zero bytes, which PostgreSQL cannot store. */
export function trim(text: string, max: number): string {
  const clean = text.replaceAll('\0', '').toWellFormed()
  return clean.length <= max ? clean : `${clean.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
