import { expect, test } from 'vitest'
import { addRepo, startHub } from '../../test-support/hub.ts'

async function assigned(more: object = {}) {
  const hub = await startHub({})
  await addRepo(hub.database, hub.workspaceId)
  const body = { repo: 'demo', title: 'Wake', description: 'the big one', run: 'true', ...more }
  const task = await hub.call('createTask', { body })
  const worker = await hub.worker()
  const assignment = await worker.assigned()
  const held = { taskId: task.id, epoch: assignment.epoch }
  const wake = (state: 'trying' | 'woken' | 'failed', more: object = {}) =>
    worker.request({ type: 'wake', ...held, attempt: 1, state, exitCode: 0, output: 'up', ...more })
  const events = async () => (await hub.call('listEvents', { query: { taskId: task.id } })).items
  return { hub, task, worker, assignment, held, wake, events }
}

test('the time for acceptance starts anew with each word about waking, and not after the acceptance', async () => {
  const { hub, worker, held, wake } = await assigned()
  const waited = async () =>
    (
      await hub.sql<{ s: number }>(
        'select extract(epoch from now() - assigned_at)::float as s from task_queue',
      )
    )[0]?.s
  const longAgo = () => hub.sql(`update task_queue set assigned_at = now() - interval '50 seconds'`)
  await longAgo()
  expect((await wake('trying')).ok).toBe(true)
  expect(await waited()).toBeLessThan(5)
  await longAgo()
  await wake('failed', { exitCode: 1 })
  expect(await waited()).toBeLessThan(5)
  await worker.request({ type: 'accept', ...held })
  await longAgo()
  await wake('woken')
  expect(await waited()).toBeGreaterThan(45)
})

test('how the wake command ended is told of the task, and the assignment carries what it may be given', async () => {
  const { assignment, wake, events } = await assigned()
  expect(assignment.description).toBe('the big one')
  await wake('trying')
  await wake('failed', { exitCode: 7, output: 'no route to host' })
  await wake('woken', { attempt: 2 })
  const told = (await events()).filter((event) => /wake|woken/.test(event.kind))
  expect(told.map((event) => [event.kind, event.data])).toEqual([
    ['task.wake_failed', expect.objectContaining({ attempt: 1, exitCode: 7, output: 'no route to host' })],
    ['task.woken', expect.objectContaining({ attempt: 2, exitCode: 0 })],
  ])
})

test('a word about waking of an older epoch is refused and changes nothing', async () => {
  const { worker, held, events } = await assigned()
  const old = {
    type: 'wake',
    ...held,
    epoch: held.epoch + 1,
    attempt: 1,
    state: 'woken',
    exitCode: 0,
  } as const
  const reply = await worker.request({ ...old, output: '' })
  expect(reply).toMatchObject({ ok: false, error: { code: 'stale_epoch' } })
  expect((await events()).filter((event) => event.kind === 'task.woken')).toEqual([])
})

test('a host that cannot be woken fails the attempt, and the task is dead when it has no more of them', async () => {
  const { hub, worker, held } = await assigned({ retries: 1 })
  const show = () => hub.call('getTask', { params: { task: held.taskId } })
  const refusal = { type: 'refuse', code: 'wake_failed', reason: 'exit code 1 after 4 tries' } as const
  await worker.request({ ...refusal, ...held })
  expect(await show()).toMatchObject({
    state: 'queued',
    failures: 1,
    reason: expect.stringContaining('wake_failed'),
  })
  await hub.sql(`update task_queue set not_before = now()`)
  const { epoch } = await worker.assigned()
  await worker.request({ ...refusal, taskId: held.taskId, epoch })
  expect(await show()).toMatchObject({ state: 'dead', ending: 'execution_failed' })
  const runs = await hub.call('taskRuns', { params: { task: held.taskId } })
  expect(runs.items.map((run) => run.ending)).toEqual(['refused', 'refused'])
  expect(await hub.sql('select losses from tasks')).toEqual([{ losses: 0 }])
})
