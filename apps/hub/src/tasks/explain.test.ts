import type { Worker } from '@muster/contract/workers'
import { expect, test } from 'vitest'
import { noModels } from './dispatch.ts'
import { explain, type Around, type Shown } from './explain.ts'

const queued: Shown = {
  state: 'queued',
  reason: null,
  wall: 'namespace',
  needs: [],
  onlyWorker: null,
  model: null,
  onlyWorkerName: null,
  notBefore: null,
  repo: { name: 'demo', active: true },
  unmet: [],
}
const among = (workers: Worker[], more: Partial<Around> = {}): Around => ({
  workers,
  paused: false,
  running: 0,
  maxRunning: 20,
  models: noModels,
  ...more,
})
const worker = (more: Partial<Worker> = {}): Worker => ({
  id: 'w',
  name: 'w',
  connected: true,
  state: 'idle',
  flaggedAt: null,
  status: '',
  version: null,
  client: null,
  capabilities: [],
  slots: 2,
  busy: 0,
  cordoned: null,
  walls: [{ kind: 'namespace', ok: true, detail: 'works' }],
  host: null,
  supervisor: null,
  blocked: null,
  restarting: false,
  resources: null,
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

const cases: [string, Shown, Worker[], string | null][] = [
  ['nobody is there', queued, [], 'No worker is connected.'],
  ['those known are away', queued, [worker({ connected: false })], 'No worker is connected.'],
  [
    'the last run was lost',
    { ...queued, reason: 'It was lost.' },
    [],
    'No worker is connected (It was lost).',
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
  ['one worker is full', queued, [worker({ busy: 2 })], 'All slots of the worker that can run it are busy.'],
  [
    'all are full',
    queued,
    [worker({ busy: 2 }), worker({ busy: 3 })],
    'All slots of the workers that can run it are busy.',
  ],
  [
    'the one with room has no wall',
    queued,
    [worker({ busy: 2 }), worker({ walls: [broken] })],
    'All slots of the worker that can run it are busy.',
  ],
  ['one has room', queued, [worker({ busy: 2 }), worker({ busy: 1 })], 'About to start.'],
  ['it ended', { ...queued, state: 'dead', reason: 'Exit code 1.' }, [worker()], 'Exit code 1.'],
  ['it runs', { ...queued, state: 'running', reason: 'Given to w.' }, [], 'Given to w.'],
  ['nothing was recorded', { ...queued, state: 'cancelled' }, [], null],
]
test.each(cases)('a task whose case is that %s says so', (_, task, workers, sentence) => {
  expect(explain(task, among(workers))).toBe(sentence)
})

const waiting = (...unmet: Shown['unmet']): Shown => ({ ...queued, state: 'waiting', unmet })
test('a waiting task names what it waits for, and first what will never come', () => {
  const runs = { title: 'Build', state: 'running' as const }
  expect(explain(waiting(runs), among([]))).toBe('Waits for "Build".')
  expect(explain(waiting(runs, runs, runs), among([]))).toBe('Waits for "Build" and 2 more.')
  expect(explain(waiting(runs, { title: 'Test', state: 'dead' }), among([]))).toBe(
    'Waits for "Test", which is dead; retry that task or cancel this one.',
  )
  expect(explain(waiting(), among([]))).toBe('About to be queued.')
})

const paused = among([worker()], { paused: true })
const around: [string, Shown, Around, RegExp][] = [
  ['the queue is paused', queued, paused, /^The queue is paused; .*queue resume/],
  [
    'its repository is not active',
    { ...queued, repo: { name: 'shop', active: false } },
    among([]),
    /^The repository shop is/,
  ],
  [
    'it waits for a time',
    { ...queued, notBefore: new Date(Date.now() + 60_000) },
    among([]),
    /^Not before 20\d\d-/,
  ],
  [
    'it waits for another try',
    { ...queued, reason: 'Try 1 of 2 ended as timed_out: Late.', notBefore: new Date(4_000_000_000_000) },
    among([]),
    /^Try 1 of 2 ended as timed_out: Late; next try not before 2096-10-02T07:06:40.000Z\.$/,
  ],
  [
    'it names a worker that is away',
    { ...queued, onlyWorker: 'x', onlyWorkerName: 'big' },
    among([worker()]),
    /^The task names big, which is not connected\.$/,
  ],
  ['nobody has what it needs', { ...queued, needs: ['gpu'] }, among([worker()]), /w does not have gpu\.$/],
  [
    'the only one is cordoned',
    queued,
    among([worker({ cordoned: 'Disk is replaced.' })]),
    /^w is cordoned: Disk is replaced\.$/,
  ],
  [
    'as many run as may',
    queued,
    among([worker()], { running: 20 }),
    /^20 of at most 20 tasks of this workspace run\.$/,
  ],
]
test.each(around)('a queued task whose case is that %s says so', (_, task, facts, sentence) => {
  expect(explain(task, facts)).toMatch(sentence)
})
