import type { Worker } from '@muster/contract/workers'
import { expect, test } from 'vitest'
import { explain, type Waiting } from './explain.ts'

const queued: Waiting = { state: 'queued', reason: null, wall: 'namespace', unmet: [] }
const worker = (more: Partial<Worker> = {}): Worker => ({
  id: 'w',
  name: 'w',
  connected: true,
  state: 'idle',
  status: '',
  version: null,
  client: null,
  capabilities: [],
  slots: 2,
  busy: 0,
  walls: [{ kind: 'namespace', ok: true, detail: 'works' }],
  host: null,
  supervisor: null,
  blocked: null,
  restarting: false,
  lastSeenAt: null,
  createdAt: '2026-01-01T00:00:00Z',
  ...more,
})
const broken = {
  kind: 'namespace' as const,
  ok: false,
  detail: 'bubblewrap is missing',
  fix: 'Run "apt-get install bubblewrap".',
}

const cases: [string, Waiting, Worker[], string | null][] = [
  ['nobody is there', queued, [], 'No worker is connected.'],
  ['those known are away', queued, [worker({ connected: false })], 'No worker is connected.'],
  [
    'the last run was lost',
    { ...queued, reason: 'It was lost.' },
    [],
    'No worker is connected (It was lost.).',
  ],
  [
    'the wall is broken',
    queued,
    [worker({ walls: [broken] })],
    'sandbox_unavailable: bubblewrap is missing. Run "apt-get install bubblewrap".',
  ],
  [
    'the wall is unknown',
    queued,
    [worker({ walls: [] })],
    'sandbox_unavailable: no worker offers a namespace wall.',
  ],
  ['one worker is full', queued, [worker({ busy: 2 })], 'All slots of the worker are busy.'],
  ['all are full', queued, [worker({ busy: 2 }), worker({ busy: 3 })], 'All slots of the workers are busy.'],
  [
    'the one with room has no wall',
    queued,
    [worker({ busy: 2 }), worker({ walls: [broken] })],
    'All slots of the worker are busy.',
  ],
  ['one has room', queued, [worker({ busy: 2 }), worker({ busy: 1 })], 'About to start.'],
  ['it ended', { ...queued, state: 'dead', reason: 'Exit code 1.' }, [worker()], 'Exit code 1.'],
  ['it runs', { ...queued, state: 'running', reason: 'Given to w.' }, [], 'Given to w.'],
  ['nothing was recorded', { ...queued, state: 'cancelled' }, [], null],
]
test.each(cases)('a task whose case is that %s says so', (_, task, workers, sentence) => {
  expect(explain(task, workers)).toBe(sentence)
})

const waiting = (...unmet: Waiting['unmet']): Waiting => ({ ...queued, state: 'waiting', unmet })
test('a waiting task names what it waits for, and first what will never come', () => {
  const runs = { title: 'Build', state: 'running' as const }
  expect(explain(waiting(runs), [])).toBe('Waits for "Build".')
  expect(explain(waiting(runs, runs, runs), [])).toBe('Waits for "Build" and 2 more.')
  expect(explain(waiting(runs, { title: 'Test', state: 'dead' }), [])).toBe(
    'Waits for "Test", which is dead; retry that task or cancel this one.',
  )
  expect(explain(waiting(), [])).toBe('About to be queued.')
})
