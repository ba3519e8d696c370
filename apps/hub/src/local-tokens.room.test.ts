import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hubDatabase } from '../test-support/database.ts'
import { startHub, type TestHub } from '../test-support/hub.ts'
import { ensureOwner } from './identity/first-start.ts'
import { leaveLocalTokens } from './local-tokens.ts'

async function dataDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'muster-data-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return join(dir, 'data')
}

const leave = (hub: TestHub, dir: string) => leaveLocalTokens(hub.hub, hub.hub.isValidToken, dir)
const read = async (dir: string, file: string) => (await readFile(join(dir, file), 'utf8')).trim()

test('the tokens that a start leaves open the hub and are readable by their owner alone', async () => {
  const hub = await startHub()
  const dir = await dataDirectory()
  await leave(hub, dir)
  expect((await hub.call('me', { token: await read(dir, 'owner.token') })).actor).toBe('owner')
  const worker = await hub.worker({ token: await read(dir, 'worker.token') })
  expect(worker.welcome?.workerName).toBe('local')
  for (const file of ['owner.token', 'worker.token']) {
    expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600)
  }
})

test('a second start keeps tokens that still count and replaces one that does not', async () => {
  const hub = await startHub({ loops: false })
  const dir = await dataDirectory()
  await leave(hub, dir)
  const [owner, worker] = [await read(dir, 'owner.token'), await read(dir, 'worker.token')]
  await writeFile(join(dir, 'worker.token'), 'muster_worker_of_another_database\n')
  await leave(hub, dir)
  expect(await read(dir, 'owner.token')).toBe(owner)
  expect(await read(dir, 'worker.token')).not.toBe(worker)
  expect(await hub.hub.isValidToken(await read(dir, 'worker.token'))).toBe(true)
  expect(await hub.sql(`select 1 from workers where name = 'local'`)).toHaveLength(1)
})

test('a hub in front of an empty database makes one owner, however many start together', async () => {
  const database = await hubDatabase()
  const hubs = await Promise.all([1, 2, 3].map(() => startHub({ database, loops: false })))
  const owners = await Promise.all(hubs.map((each) => ensureOwner(each.hub.db)))
  expect(new Set(owners.map((owner) => owner.personId)).size).toBe(1)
  expect(await database.sql('select 1 from workspaces')).toHaveLength(1)
  expect(await database.sql('select 1 from people')).toHaveLength(1)
  expect(await database.sql(`select 1 from events where kind = 'workspace.created'`)).toHaveLength(1)
})
