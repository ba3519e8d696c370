import type { RunResult } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { addRepo, startHub } from '../../test-support/hub.ts'
import { commit, passingReport, verified } from '../../test-support/rooms.ts'

const check = { kind: 'test_passes', target: 'auto' } as const
const failing = { ...check, status: 'fail' as const, output: '1 failed', ms: 3 }

/** A task with one declared check in the hands of a worker on the wire. */
async function running() {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const task = await hub.call('createTask', {
    body: { repo: 'demo', title: 'Prove it', run: 'true', checks: [check] },
  })
  const worker = await hub.worker()
  const assignment = await worker.assigned()
  const held = { taskId: task.id, epoch: assignment.epoch }
  await worker.request({ type: 'accept', ...held })
  const grant = (more: { commit?: string; branch?: string } = {}) =>
    worker.request({ type: 'publish', ...held, branch: assignment.branch, commit, ...more })
  const finish = (change: Partial<RunResult>) =>
    worker.request({
      type: 'finish',
      ...held,
      runId: assignment.runId,
      result: verified(assignment.branch, { report: passingReport([check]), ...change }),
    })
  return { hub, task, worker, assignment, grant, finish }
}

test('a run that proves every declared check makes its task done', async () => {
  const { hub, task, assignment, grant, finish } = await running()
  expect(await grant()).toMatchObject({ ok: true })
  expect(await finish({})).toMatchObject({ ok: true })
  expect(await hub.call('getTask', { params: { task: task.id } })).toMatchObject({
    state: 'done',
    ending: 'verified',
    commit,
    branch: assignment.branch,
    checks: [{ kind: 'test_passes', status: 'pass' }],
  })
  expect(await hub.sql('select commit from evidence')).toEqual([{ commit }])
})

const other = 'd'.repeat(40)
const lies: [string, { grant?: object | false; change: Partial<RunResult> }][] = [
  ['without a report', { change: { report: null } }],
  ['for another commit than it may publish', { change: { commit: other } }],
  ['with a report of another commit', { change: { report: { ...passingReport([check]), commit: other } } }],
  ['with a check that failed', { change: { report: { ...passingReport([check]), checks: [failing] } } }],
  ['with an overall that failed', { change: { report: { ...passingReport([check]), overall: 'fail' } } }],
  ['without the declared check', { change: { report: { ...passingReport([check]), checks: [] } } }],
  ['as if no check were declared', { change: { report: passingReport() } }],
  ['without having been granted the branch', { grant: false, change: {} }],
  ['after a grant for another commit', { grant: { commit: other }, change: {} }],
  ['on another branch', { change: { branch: 'main' } }],
]
test.each(lies)(
  'a worker that says verified %s is refused and its task is not done',
  async (_, { grant: wish, change }) => {
    const { hub, task, grant, finish } = await running()
    if (wish !== false) expect(await grant(wish)).toMatchObject({ ok: true })
    expect(await finish(change)).toMatchObject({ ok: false, error: { code: 'protocol_violation' } })
    const seen = await hub.call('getTask', { params: { task: task.id } })
    expect(seen).toMatchObject({ ending: null, checks: [] })
    expect(['assigned', 'running']).toContain(seen.state)
    expect(await hub.sql('select 1 from evidence')).toEqual([])
    // The lease is still the worker's: told the truth, the run ends.
    expect(await finish({ ending: 'partial_pass', report: null })).toMatchObject({ ok: true })
    expect(await hub.call('getTask', { params: { task: task.id } })).toMatchObject({ state: 'dead' })
  },
)

test('a worker is granted only the two branches of its task', async () => {
  const { grant, finish, assignment } = await running()
  for (const branch of ['main', 'muster/shell/other', '../main', assignment.branch.toUpperCase()]) {
    expect(await grant({ branch }), branch).toMatchObject({
      ok: false,
      error: { code: 'protocol_violation' },
    })
    expect(await finish({ branch })).toMatchObject({ ok: false })
  }
  expect(await grant({ branch: assignment.failedBranch })).toMatchObject({ ok: true })
  // Kept work is never proven work.
  expect(await finish({ branch: assignment.failedBranch })).toMatchObject({ ok: false })
})

test('text that PostgreSQL cannot store does not keep a run from being reported', async () => {
  const { hub, task, grant, finish, worker } = await running()
  await grant()
  const nasty = 'a\0b\uD800c'
  const held = { taskId: task.id, epoch: 1 }
  const chunks = [{ stream: 'stdout' as const, text: nasty }]
  expect(await worker.request({ type: 'output', ...held, batch: 0, chunks })).toMatchObject({ ok: true })
  const checks = [{ ...check, status: 'pass' as const, output: nasty, ms: 1 }]
  const report = { ...passingReport([check]), checks }
  expect(await finish({ report, diff: nasty, reason: nasty })).toMatchObject({ ok: true })
  const seen = await hub.call('getTask', { params: { task: task.id } })
  expect(seen.checks[0]?.output).toBe('a\uFFFDb\uFFFDc')
  expect((await hub.call('taskDiff', { params: { task: task.id } })).diff).toBe('a\uFFFDb\uFFFDc')
})
