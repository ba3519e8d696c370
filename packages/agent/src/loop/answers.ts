import type { ModelEnd, ModelMessage, ToolCall, ToolSpec } from '@muster/llm/model'
import { trim } from './step.ts'
import type { LoopLimits } from './tiers.ts'
import type { Observation } from './toolbox.ts'

type Answer = Extract<ModelEnd, { ok: true }>

/**
 * What an answer adds to the conversation. One that leads nowhere, empty or cut before it called anything, adds a nudge in
 * the same step, so that the last word of a conversation is the model's only when it has answered.
 */
export function takeAnswer(answer: Answer, before: readonly ModelMessage[], limits: LoopLimits) {
  const calls = withOwnIds(atMost(answer.calls, limits.callsPerAnswer).map(readable), before)
  const text = trim(answer.text, maxChars)
  const said: ModelMessage = { role: 'assistant', text, calls }
  if (calls.length > 0) return { calls, said: [said], isEmpty: false }
  if (text.trim() === '') return { calls, said: [nudge(emptyNudge)], isEmpty: true }
  if (answer.why === 'length') return { calls, said: [said, nudge(lengthNudge)], isEmpty: true }
  return { calls, said: [said], isEmpty: false }
}

const nudge = (text: string): ModelMessage => ({ role: 'user', text })
const emptyNudge =
  'Your answer was empty. Call a tool to go on with the task, or say in one or two sentences what you did if it is finished.'
const lengthNudge =
  'Your answer was cut at its length limit. Be brief: call one tool, with less text, or finish in one or two sentences.'

/** The one after the last that is run says that it and the rest were not; a model may call without end. */
function atMost(calls: readonly ToolCall[], max: number): ToolCall[] {
  const [extra] = calls.slice(max)
  if (extra === undefined) return [...calls]
  const malformed = `You made ${calls.length} calls at once. Only the first ${max} were run; call again what you still need.`
  return [...calls.slice(0, max), { ...extra, args: {}, malformed }]
}

/**
 * What a message may hold wherever it goes. Servers do not keep to the longest answer that was asked for; more than this
 * is no argument that anybody meant.
 */
const maxChars = 200_000

function readable(call: ToolCall): ToolCall {
  const { malformed } = call
  const length = JSON.stringify(call.args).length
  const why =
    length <= maxChars
      ? malformed
      : `The arguments are ${length} characters long; at most ${maxChars} are read.`
  const name = trim(call.name, 80)
  return why === undefined ? { ...call, name } : { ...call, name, args: {}, malformed: trim(why, 1_000) }
}

/** Some servers give no ids, or the same ones again; results are matched by them. */
function withOwnIds(calls: readonly ToolCall[], before: readonly ModelMessage[]): ToolCall[] {
  const taken = new Set(
    before.flatMap((message) => (message.role === 'assistant' ? message.calls.map((call) => call.id) : [])),
  )
  return calls.map((call, at) => {
    const id =
      call.id === '' || call.id.length > 200 || taken.has(call.id) ? `call_${before.length}_${at}` : call.id
    taken.add(id)
    return { ...call, id }
  })
}

/** The calls of the last answer that have no observation yet. They are run in their order, so counting is enough. */
export function pendingCalls(messages: readonly ModelMessage[]): readonly ToolCall[] {
  const at = messages.findLastIndex((message) => message.role !== 'tool')
  const last = messages[at]
  return last?.role === 'assistant' ? last.calls.slice(messages.length - at - 1) : []
}

export function finalAnswer(messages: readonly ModelMessage[]): string | undefined {
  const last = messages.at(-1)
  return last?.role === 'assistant' && last.calls.length === 0 ? last.text : undefined
}

/** A call that could not be read reaches no tool; the model is told why, so that it can repair it (LOOP-10). */
export function refuseCall(call: ToolCall, tools: readonly ToolSpec[]): Observation | undefined {
  if (call.malformed === undefined) return undefined
  const expected = tools.find((tool) => tool.name === call.name)?.parameters['properties']
  const error = `${call.malformed} This call was not run.`
  return {
    success: false,
    code: 'MALFORMED_CALL',
    error,
    ...(expected === undefined ? {} : { arguments: expected }),
  }
}

/**
 * Compact, because a model pays for each character. Small models go round in circles without noticing: the second time
 * they are told, the third is the end.
 */
export function observationText(observation: Observation, isRepeated: boolean): string {
  const note = isRepeated ? 'You made exactly this call just before. Do something else.' : undefined
  return JSON.stringify({ ...observation, changed: undefined, ...(note === undefined ? {} : { note }) })
}
