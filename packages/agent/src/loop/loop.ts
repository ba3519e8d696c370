import type { Model, ModelEnd, ModelFailure, ModelMessage, ToolCall, Usage } from '@muster/llm/model'
import { finalAnswer, observationText, pendingCalls, refuseCall, takeAnswer } from './answers.ts'
import { ask } from './ask.ts'
import { batchDeltas, type Delta } from './batch-deltas.ts'
import { afterFailure } from './failures.ts'
import { firstLimit, type LimitEnding } from './guards.ts'
import type { Progress } from './progress.ts'
import { learnedScale, whatIsShown } from './shown.ts'
import { afterAnswer, afterCall, afterChange, afterUsage, type LoopState } from './state.ts'
import { modelStep, toolStep, type Step } from './step.ts'
import type { LoopLimits } from './tiers.ts'
import type { Toolbox } from './toolbox.ts'
import { openWatch } from './watch.ts'

export type LoopInput = {
  model: Model
  toolbox: Toolbox
  /** Of `begin`, `goOn` or `tryAgain`. */
  progress: Progress
  limits: LoopLimits
  budget: Budget
  on: LoopListener
  /** Ends the loop as `stopped`. */
  signal: AbortSignal
  /** Milliseconds of a clock that only goes forward. */
  now?: (() => number) | undefined
  sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}

export type Budget = {
  /** In millionths of a US dollar. */
  costOf(usage: Usage): number
  /** Asked before every call of the model: a sentence when no more may be spent. */
  refuse?: ((state: LoopState) => Promise<string | undefined>) | undefined
}

export type LoopListener = {
  /** What the model says as it says it, in windows of 100 ms. Of a call that then fails, too. */
  delta?: ((delta: Delta) => void) | undefined
  /**
   * Awaited: the next step begins only when this one is durable. What it throws, `runLoop` throws. It may answer whether
   * the workspace really is different, which a loop that works by commands cannot see.
   */
  checkpoint(checkpoint: LoopCheckpoint): Promise<{ changed: boolean } | void>
}

export type LoopCheckpoint = Progress & {
  step: Step
  /** The messages that no checkpoint before had; the last ones of `messages`. */
  added: ModelMessage[]
  /** The workspace may be different now. */
  changed: boolean
}

export type LoopEnd = Progress & { totals: LoopTotals } & Ending

type Ending =
  | { kind: 'final_answer'; text: string }
  | { kind: 'limit'; ending: LimitEnding; reason: string }
  | { kind: 'model_failed'; failure: ModelFailure; reason: string }
  | { kind: 'stopped' }

export type LoopTotals = {
  usage: Usage
  costMicroUsd: number
  iterations: number
  steps: number
  toolCalls: number
  filesWritten: string[]
  elapsedMs: number
}

/**
 * The loop: the model is asked, what it calls is run in the wall, what came of it is told to the model, until it answers
 * without a call or a guard ends it.
 *
 * There is no difference between going on and beginning again: each turn reads from the conversation what comes next. Calls
 * without an observation are run, in their order; if there are none and the last word is the model's, it has answered;
 * else it is asked. Each step is durable before the next begins, so a run that goes on from what was recorded runs no
 * recorded call a second time, and loses at most the step that was under way.
 */
export async function runLoop(input: LoopInput): Promise<LoopEnd> {
  const { model, toolbox, limits, on } = input
  const { callMs, silenceMs } = limits
  const tools = toolbox.specs
  let { messages, state } = input.progress
  const watch = openWatch(input, state.elapsedMs)
  const deltas = batchDeltas((delta) => on.delta?.(delta))

  async function record(step: Step, said: ModelMessage[], next: LoopState, changed: boolean) {
    messages = [...messages, ...said]
    const added = messages.slice(state.recorded)
    state = { ...next, steps: step.seq, recorded: messages.length, elapsedMs: watch.elapsedMs() }
    const found = await on.checkpoint({ step, messages, added, state, changed })
    if (found?.changed === true) state = afterChange(state)
  }

  async function askModel(): Promise<Ending | undefined> {
    const facts = watch.facts(model, state)
    const { estimated, ...shown } = whatIsShown(messages, { model, tools, limits, state })
    const request = { ...shown, tools, silenceMs, signal: watch.signal }
    const end = await ask(model, request, { callMs, onDelta: deltas.push })
    deltas.flush()
    state = afterUsage(state, end.usage, input.budget.costOf(end.usage))
    if (end.ok) state = { ...state, tokenScale: learnedScale(state, estimated, end.usage) }
    if (input.signal.aborted || (!end.ok && watch.signal.aborted)) return undefined
    if (!end.ok) return afterFailed(end, facts())
    const { calls, said, isEmpty } = takeAnswer(end, messages, limits)
    await record(modelStep(facts(), end, calls), said, afterAnswer(state, end.calls, isEmpty), false)
    return undefined
  }

  async function afterFailed(end: ModelEnd & { ok: false }, facts: Parameters<typeof modelStep>[0]) {
    const failed = { ...state, failures: state.failures + 1 }
    const next = afterFailure(end.failure, failed)
    const shrunk = next.do === 'shrink' ? state.shrunk + 1 : state.shrunk
    await record(modelStep(facts, end, []), [], { ...failed, shrunk }, false)
    if (next.do === 'again') await watch.sleep(next.afterMs)
    if (next.do !== 'end') return undefined
    return { kind: 'model_failed' as const, failure: end.failure, reason: reasonOf(model, end.failure) }
  }

  async function runCall(call: ToolCall): Promise<void> {
    const facts = watch.facts(model, state)
    const refused = refuseCall(call, tools)
    const observation = refused ?? (await watch.orAborted(toolbox.run(call, { signal: watch.signal })))
    // Stopped in the middle: nobody knows what it did, so it counts as not done.
    if (observation === undefined || input.signal.aborted) return
    const told: ModelMessage = {
      role: 'tool',
      callId: call.id,
      name: call.name,
      text: observationText(observation, state.sameRounds > 1),
    }
    const changed = observation.changed === true
    await record(toolStep(facts(), call, observation), [told], afterCall(state, call, observation), changed)
  }

  async function turn(): Promise<Ending | undefined> {
    if (input.signal.aborted) return { kind: 'stopped' }
    state = { ...state, elapsedMs: watch.elapsedMs() }
    const [call] = pendingCalls(messages)
    if (call !== undefined && !watch.signal.aborted) return void (await runCall(call))
    const text = finalAnswer(messages)
    if (text !== undefined) return { kind: 'final_answer', text }
    const limit = firstLimit(state, limits)
    if (limit !== undefined) return { kind: 'limit', ...limit }
    const refused = await input.budget.refuse?.(state)
    if (refused !== undefined) return { kind: 'limit', ending: 'budget_exhausted', reason: refused }
    return askModel()
  }

  try {
    for (;;) {
      const ending = await turn()
      if (ending !== undefined) return { ...ending, messages, state, totals: totalsOf(state) }
    }
  } finally {
    deltas.flush()
    watch.close()
  }
}

function reasonOf(model: Model, { class: is, message }: ModelFailure): string {
  return `${model.name} (${model.provider}): ${is}: ${message}`
}

function totalsOf(state: LoopState): LoopTotals {
  const { usage, costMicroUsd, iterations, steps, toolCalls, elapsedMs, written } = state
  return { usage, costMicroUsd, iterations, steps, toolCalls, filesWritten: written, elapsedMs }
}
