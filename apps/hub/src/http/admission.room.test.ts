import { tmpdir } from 'node:os'
import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { addRepo, startHub } from '../../test-support/hub.ts'
import { refusal } from '../../test-support/http.ts'
import { failed } from '../../test-support/rooms.ts'

const body = { repo: 'demo', title: 't', run: 'true' }

test('while the disk of the database is nearly full no task is taken, and what runs comes to its end', async () => {
  const before = await startHub()
  await addRepo(before.database, before.workspaceId)
  await before.call('createTask', { body })
  await before.stop()
  // No disk has a petabyte free.
  const hub = await startHub({
    database: before.database,
    databaseDisk: { dir: tmpdir(), reserveMb: 1e9 },
  })
  const isFull = async () =>
    JSON.stringify((await hub.raw({ path: '/ready' })).body).includes('database_full')
  await eventually(isFull, { timeoutMs: 30_000 })
  const refused = await hub.attempt('createTask', { body })
  expect(refusal(refused)).toEqual({ status: 503, code: 'database_full' })
  expect(refused.headers['retry-after']).toBeDefined()
  expect((await hub.attempt('createTask', { body, token: null })).status).toBe(401)

  const worker = await hub.worker()
  const { taskId, epoch, runId } = await worker.assigned()
  for (const message of [
    { type: 'accept' as const, taskId, epoch },
    { type: 'finish' as const, taskId, epoch, runId, result: failed() },
  ]) {
    expect(await worker.request(message)).toMatchObject({ ok: true })
  }
  expect((await hub.call('listTasks')).items).toHaveLength(1)
  expect(await hub.call('getQueue')).toMatchObject({ paused: false })
})

test('a write for which the disk has no room is answered with that, and the next one may succeed', async () => {
  const hub = await startHub({ loops: false })
  await addRepo(hub.database, hub.workspaceId)
  await hub.sql(`create function muster.no_room() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`)
  await hub.sql(`create trigger no_room before insert on muster.tasks execute function muster.no_room()`)
  expect(refusal(await hub.attempt('createTask', { body }))).toEqual({ status: 503, code: 'database_full' })
  await hub.sql('drop trigger no_room on muster.tasks')
  expect(await hub.call('createTask', { body })).toMatchObject({ state: 'queued' })
})
