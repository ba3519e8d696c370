import { expect, test } from 'vitest'
import { meaningOf } from './refusal.ts'

test.each(['sandbox_unavailable', 'disk_full', 'worker_restarting'])(
  'a task that was refused with %s is not held against it',
  (code) => expect(meaningOf(code)).toMatchObject({ counts: 'nothing', ending: 'refused' }),
)

test.each([
  ['wake_failed', 'failure'],
  ['worker_failed', 'loss'],
  ['anything new', 'loss'],
])('%s counts as a %s, so it cannot go on for ever', (code, counts) =>
  expect(meaningOf(code)).toMatchObject({ counts, ending: 'refused' }),
)

test('a run that was stopped for a restart is called lost, and its task may start elsewhere at once', () => {
  expect(meaningOf('run_lost')).toEqual({ counts: 'loss', delaySeconds: 0, ending: 'lost' })
})
