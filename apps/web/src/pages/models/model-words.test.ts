import type { Endpoint } from '@muster/contract/models'
import { expect, test } from 'vitest'
import { healthOf, sourceText } from './model-words.ts'

const healthy = { health: 'healthy', pausedUntil: null, source: 'manual', worker: null } as Endpoint

test.each<[Partial<Endpoint>, string]>([
  [{}, 'Healthy'],
  [{ pausedUntil: '2026-01-01T00:00:00Z' }, 'Paused'],
  [{ health: 'unknown' }, 'Not known yet'],
  [{ health: 'unhealthy', pausedUntil: '2026-01-01T00:00:00Z' }, 'Unhealthy'],
])('an endpoint with %j is called %s', (change, word) => {
  expect(healthOf({ ...healthy, ...change }).word).toBe(word)
})

test('it is said who named an endpoint', () => {
  expect(sourceText({ ...healthy, source: 'worker', worker: 'box-2' })).toBe('announced by box-2')
  expect(sourceText({ ...healthy, source: 'settings' })).toBe('from the settings of the hub')
  expect(sourceText(healthy)).toBe('added by hand')
})
