import { expect, test } from 'vitest'
import { detectSupervisor, reportOf, type Clues } from './supervisor.ts'

const service = '0::/system.slice/muster-worker.service/worker\n'
const found = (env: Clues['env'], more: Partial<Clues> = {}) =>
  detectSupervisor({ env, pid: 77, cgroup: service, stderr: '8:1234', ...more })

const cases: [string, Clues['env'], Partial<Clues>, object][] = [
  ['nothing says so', {}, {}, { kind: 'none' }],
  [
    'the unit started this very process',
    { INVOCATION_ID: 'a', SYSTEMD_EXEC_PID: '77' },
    {},
    { kind: 'systemd', name: 'muster-worker.service' },
  ],
  [
    'stderr is the stream of the journal',
    { INVOCATION_ID: 'a', JOURNAL_STREAM: '8:1234' },
    {},
    { kind: 'systemd', name: 'muster-worker.service' },
  ],
  [
    'it is to notify',
    { INVOCATION_ID: 'a', NOTIFY_SOCKET: '/run/systemd/notify' },
    {},
    { kind: 'systemd', name: 'muster-worker.service' },
  ],
  [
    'the cgroup names no unit',
    { INVOCATION_ID: 'a', SYSTEMD_EXEC_PID: '77' },
    { cgroup: '' },
    { kind: 'systemd' },
  ],
  [
    'a shell of a terminal that is a service',
    { INVOCATION_ID: 'a', SYSTEMD_EXEC_PID: '12', JOURNAL_STREAM: '8:99' },
    {},
    { kind: 'none' },
  ],
  [
    'pm2',
    { pm_id: '0', PM2_HOME: '/root/.pm2', name: 'box', restart_time: '3' },
    {},
    { kind: 'pm2', name: 'box', restarts: 3 },
  ],
  ['pm2 without a count', { pm_id: '0', PM2_HOME: '/root/.pm2', restart_time: 'many' }, {}, { kind: 'pm2' }],
  ['something that only is called like pm2’s', { pm_id: '0', name: 'box' }, {}, { kind: 'none' }],
  ['up', { MUSTER_SUPERVISOR: 'up', MUSTER_RESTARTS: '0' }, {}, { kind: 'up', restarts: 0 }],
  [
    'join, itself run by systemd',
    { MUSTER_SUPERVISOR: 'join', MUSTER_RESTARTS: '2', INVOCATION_ID: 'a', NOTIFY_SOCKET: '@x' },
    {},
    { kind: 'join', restarts: 2 },
  ],
  ['a word that is none of ours', { MUSTER_SUPERVISOR: 'me' }, {}, { kind: 'none' }],
]
test.each(cases)('when %s the worker knows it', (_, env, more, wanted) => {
  expect(found(env, more)).toEqual(wanted)
})

test('a report has what changes: when it started, for how long it is up, how much memory it has', () => {
  const report = reportOf({ kind: 'join', restarts: 1 })
  expect(report).toMatchObject({ kind: 'join', restarts: 1 })
  expect(Date.now() - Date.parse(String(report.startedAt))).toBeGreaterThanOrEqual(
    report.uptimeMs ?? Infinity,
  )
  expect(report.memoryBytes).toBeGreaterThan(10_000_000)
})
