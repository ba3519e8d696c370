import { setTimeout as sleep } from 'node:timers/promises'
import type { Model, ModelRequest } from './model.ts'
import type { PracticeScript, PracticeTurn } from './practice-script.ts'
import { ask } from './providers/ask.ts'
import { KnownFailure } from './providers/faults.ts'
import type { Wire, WirePart } from './providers/wire.ts'

/** Stands before everything it says, so that nobody takes it for a model. */
export const practiceLabel = '[practice] '

/**
 * Plays a script: the n-th call of a conversation gets the n-th turn. It goes through the same frame as every provider,
 * so silence, abort, rescue and estimates are the real ones.
 */
export function createPracticeModel(script: PracticeScript, contextTokens = 32_768): Model {
  const frame = { wire: createPracticeWire(script), place: 'The practice model', secrets: [] }
  return {
    name: 'practice',
    provider: 'practice',
    contextTokens,
    ask: (request) => ask(frame, request),
  }
}

function createPracticeWire(script: PracticeScript): Wire {
  return async function* practice(request, signal) {
    const n = turnOf(request)
    const turn = script.turns[n] ?? { say: 'The script is at its end; there is nothing more to say.' }
    if (turn.waitMs !== undefined) await sleep(turn.waitMs, undefined, { signal })
    if (turn.fail !== undefined && turn.fail !== 'cut_off') throw failure(turn.fail, turn)
    const pieces = inPieces(practiceLabel + (turn.say ?? `Turn ${n + 1} of ${script.turns.length}.`))
    if (turn.fail === 'cut_off') {
      yield* pieces.slice(0, Math.ceil(pieces.length / 2))
      throw failure('cut_off', turn)
    }
    yield* pieces
    for (const [i, call] of (turn.calls ?? []).entries()) {
      yield { type: 'call', id: `practice_${n}_${i}`, name: call.tool, args: structuredClone(call.args) }
    }
    yield { type: 'finish', why: 'stop', counts: {} }
  }
}

/** By the answers that are there, so that a run that is taken up by another worker goes on where it was. */
const turnOf = (request: ModelRequest): number =>
  request.turn ?? request.messages.filter((message) => message.role === 'assistant').length

/** A few words each, as a model sends them. */
const inPieces = (text: string): WirePart[] =>
  [...text.matchAll(/(?:\S+\s*|\s+){1,3}/g)].map(([piece]) => ({ type: 'text', text: piece }))

function failure(kind: NonNullable<PracticeTurn['fail']>, turn: PracticeTurn): KnownFailure {
  const resetAt =
    kind === 'quota' && turn.resetMs !== undefined ? new Date(Date.now() + turn.resetMs) : undefined
  return new KnownFailure(kind, `${practiceLabel}The script says: ${kind}.`, resetAt)
}
