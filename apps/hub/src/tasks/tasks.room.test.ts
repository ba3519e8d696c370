import { isTerminal, taskStates, type TaskState } from '@muster/contract/task-states'
import { expect, test } from 'vitest'
import { failed, openRooms, type Rooms } from '../../test-support/rooms.ts'
import { newId } from '../kernel/ids.ts'

/** Forces a task into a state with what that state needs, as no sequence of verbs could in one step. */
async function taskIn(rooms: Rooms, state: TaskState): Promise<string> {
  const parent = state === 'waiting' ? [(await rooms.submit()).id] : []
  const { id } = await rooms.submit({ after: parent })
  const ended = isTerminal(state) ? 'now()' : 'null'
  const isQueued = ['queued', 'assigned', 'running', 'verifying'].includes(state)
  if (!isQueued) await rooms.sql('delete from task_queue where task_id = $1', [id])
  await rooms.sql(
    `update tasks set state = $2, ended_at = ${ended}, ending = case when $2 = 'done' then 'verified' end,
       commit = case when $2 = 'done' then 'c' end where id = $1`,
    [id, state],
  )
  return id
}

test.each(taskStates)('cancel and retry do to a task that is %s what its state allows', async (state) => {
  const rooms = await openRooms()
  const cancelled = await taskIn(rooms, state)
  if (isTerminal(state)) {
    await expect(rooms.cancel(cancelled)).rejects.toMatchObject({ code: 'task_state_refuses' })
    expect(await rooms.sql('select state from tasks where id = $1', [cancelled])).toEqual([{ state }])
  } else {
    expect(await rooms.cancel(cancelled)).toMatchObject({
      state: 'cancelled',
      ending: 'cancelled',
      reason: 'Cancelled by owner.',
    })
    expect(await rooms.sql('select 1 from task_queue where task_id = $1', [cancelled])).toEqual([])
  }
  const retried = await taskIn(rooms, state)
  if (state === 'dead' || state === 'cancelled') {
    expect(await rooms.retry(retried)).toMatchObject({ state: 'queued', ending: null, endedAt: null })
  } else {
    await expect(rooms.retry(retried)).rejects.toMatchObject({ code: 'task_state_refuses' })
  }
})

test('a refused cancel leaves the queue as it was', async () => {
  const rooms = await openRooms()
  const id = await taskIn(rooms, 'done')
  await rooms.sql(
    `insert into task_queue (workspace_id, task_id, repo_id, lane, wall, timeout_ms, epoch)
     select $1, $2, repo_id, 2, 'namespace', 1000, 0 from tasks where id = $2`,
    [rooms.workspaceId, id],
  )
  await expect(rooms.cancel(id)).rejects.toMatchObject({ code: 'task_state_refuses' })
  expect(await rooms.sql('select 1 from task_queue')).toHaveLength(1)
})

test('of a cancel and a finish at the same moment exactly one ends the task', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w')
  const winners = new Set<string>()
  for (let round = 0; round < 12; round++) {
    const { id } = await rooms.submit()
    const lease = await rooms.claim(worker)
    if (lease === undefined) throw new Error('nothing was claimed')
    const finish = () => rooms.say(worker, { type: 'finish', id: 1, ...lease, result: failed() })
    const cancel = () => rooms.cancel(id)
    const both = round % 2 === 0 ? [finish(), cancel()] : [cancel(), finish()]
    const outcomes = await Promise.allSettled(both)
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    const { state } = await rooms.get(id)
    winners.add(state)
    const ends = await rooms.sql(
      `select kind from events where task_id = $1 and kind in ('task.dead', 'task.done', 'task.cancelled')`,
      [id],
    )
    expect(ends).toEqual([{ kind: `task.${state}` }])
  }
  expect([...winners].every((state) => state === 'dead' || state === 'cancelled')).toBe(true)
})

test('a retry starts from a clean task and keeps counting attempts', async () => {
  const rooms = await openRooms()
  const { id } = await rooms.submit()
  const worker = await rooms.worker('w')
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  await rooms.say(worker, { type: 'finish', id: 1, ...lease, result: failed() })
  expect(await rooms.get(id)).toMatchObject({ state: 'dead', ending: 'execution_failed', attempt: 1 })
  expect(await rooms.retry(id)).toMatchObject({
    state: 'queued',
    ending: null,
    worker: null,
    branch: null,
    commit: null,
    checks: [],
    deadlineAt: null,
  })
  expect(await rooms.claim(worker)).toMatchObject({ taskId: id, epoch: 2 })
  expect(await rooms.get(id)).toMatchObject({ attempt: 2 })
})

test('a short id that two tasks share names neither', async () => {
  const rooms = await openRooms()
  const { id, short } = await rooms.submit()
  expect((await rooms.get(short)).id).toBe(id)
  const twin = `${newId().slice(0, 28)}${id.slice(28)}`
  await rooms.sql('update task_queue set task_id = task_id')
  await rooms.sql(
    `insert into tasks (workspace_id, id, repo_id, repo, title, spec, lane, tier, guessed_tier,
       retries, state, created_by)
     select workspace_id, $1, repo_id, repo, title, spec, lane, tier, guessed_tier, retries, state, created_by from tasks`,
    [twin],
  )
  await expect(rooms.get(short)).rejects.toMatchObject({ code: 'not_found' })
})

const impossible: [string, string][] = [
  ['an end without a time', `update tasks set state = 'dead'`],
  ['a time of end without an end', `update tasks set ended_at = now()`],
  ['done without a commit', `update tasks set state = 'done', ending = 'verified', ended_at = now()`],
  ['done without proof', `update tasks set state = 'done', ending = 'lost', commit = 'c', ended_at = now()`],
  ['a state that is none', `update tasks set state = 'finished'`],
  ['a lease without an end', `update task_queue set worker_id = '00000000-0000-7000-8000-000000000001'`],
  ['a lease without a worker', `update task_queue set lease_expires_at = now()`],
  ['two queue rows for one task', `insert into task_queue select * from task_queue`],
  ['a queue row for no task', `update task_queue set task_id = '00000000-0000-7000-8000-000000000001'`],
  ['an ended run without an ending', `update runs set ended_at = now()`],
  [
    'two runs with one epoch',
    `insert into runs (workspace_id, id, task_id, attempt, epoch, worker_id, worker, agent, wall)
     select workspace_id, gen_random_uuid(), task_id, attempt, epoch, worker_id, worker, agent, wall from runs`,
  ],
]
test.each(impossible)('the database itself refuses %s', async (_, statement) => {
  const rooms = await openRooms()
  await rooms.submit()
  await rooms.claim(await rooms.worker('w'))
  if (statement.includes('lease_expires_at')) {
    await rooms.sql('update task_queue set worker_id = null, lease_expires_at = null')
  }
  if (statement.includes('set worker_id')) {
    await rooms.sql('update task_queue set worker_id = null, lease_expires_at = null')
  }
  await expect(rooms.sql(statement)).rejects.toMatchObject({ code: expect.stringMatching(/^23/) })
})
