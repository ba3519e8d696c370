import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkPrograms, openGround } from './check.ts'
import type { Ground } from './program.ts'
import { replayed, seed, usualPrograms, wantedProfiles, wantedPrograms } from './seeds.ts'

const undo: (() => Promise<void>)[] = []
let ground: Ground
beforeAll(async () => {
  ground = await openGround((each) => void undo.unshift(each))
})
afterAll(async () => {
  for (const each of undo) await each()
})

const seen = new Set<string>()

describe('a program', () => {
  test.for(wantedProfiles)(
    'of kind "%s" gets the answers that the model expects, and breaks no invariant',
    async (profile) => {
      const path = replayed === undefined ? {} : { path: replayed }
      const outcome = await checkPrograms(ground, {
        profile,
        seed,
        programs: wantedPrograms,
        shrink: true,
        ...path,
      })
      for (const line of outcome.logs.flat()) for (const word of wordsOf(line)) seen.add(word)
      if (outcome.failure !== undefined) throw new Error(outcome.failure)
    },
  )
})

const isWhole = replayed === undefined && wantedPrograms >= usualPrograms

test.runIf(isWhole)('the programs reach every verb, every refusal and every fault', () => {
  expect([...mustBeSeen].filter((word) => !seen.has(word))).toEqual([])
})

test('the same seed makes the same programs with the same answers', async () => {
  const options = { profile: 'mixed', seed, programs: 10 } as const
  const first = await checkPrograms(ground, options)
  const again = await checkPrograms(ground, options)
  expect(first.logs.flat().length).toBeGreaterThan(50)
  expect(again.logs).toEqual(first.logs)
})

/** Verbs with their answers, kinds of messages, and faults, as they stand in a log. */
function wordsOf(line: string): string[] {
  const answers = [...line.matchAll(/([a-z ]+)\([^)]*\) → (\w+)/g)].map(
    ([, verb, code]) => `${verb?.replace(/^ with /, '')} → ${code}`,
  )
  const messages = [...line.matchAll(/message:{type:(\w+)/g)].map(([, type]) => `message ${type}`)
  const faults = [...line.matchAll(/commit unanswered|broken off| in turns /g)].map(([word]) => word.trim())
  return [...answers, ...messages, ...faults]
}

const mustBeSeen = [
  ...[
    'submit',
    'cancel',
    'retry',
    'dispatch',
    'sweep',
    'hello',
    'say',
    'renew',
    'leave',
    'freeze',
    'presence',
    'restart',
  ].map((verb) => `${verb} → ok`),
  ...['accept', 'refuse', 'wake', 'phase', 'output', 'progress', 'publish', 'finish'].map(
    (type) => `message ${type}`,
  ),
  'time → ok',
  'local clock → ok',
  'submit → idempotency_mismatch',
  'submit → dependency_not_found',
  'cancel → not_found',
  'cancel → task_state_refuses',
  'retry → task_state_refuses',
  'hello → worker_already_connected',
  'say → stale_epoch',
  'say → protocol_violation',
  'dispatch → database_unavailable',
  'commit unanswered',
  'broken off',
  'in turns',
]
