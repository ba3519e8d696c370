import { expect, test } from 'vitest'
import { meaningOf } from './refusal.ts'

test.each(['sandbox_unavailable', 'disk_full', 'worker_restarting'])(
  'a task that was refused with %s is not held against it',
  (code) => expect(meaningOf(code)).toMatchObject({ lost: false, ending: 'refused' }),
)

test.each(['wake_failed', 'worker_failed', 'anything new'])(
  '%s is bounded, so it cannot go on for ever',
  (code) => expect(meaningOf(code)).toMatchObject({ lost: true, ending: 'refused' }),
)

test('a run that was stopped for a restart is called lost, and its task may start elsewhere at once', () => {
  expect(meaningOf('run_lost')).toEqual({ lost: true, delaySeconds: 0, ending: 'lost' })
})
