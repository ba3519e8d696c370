import { chmod, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshPlace, open, ownerProcess, query } from './cluster-test-place.ts'

test('a fresh cluster has checksums, UTF-8 in the C.UTF-8 locale, no TCP port and a password nobody else can read', async () => {
  const dir = await freshPlace()
  const cluster = await open(dir)
  const [facts] = await query(
    cluster.superuserUrl,
    `select current_setting('data_checksums') as checksums, current_setting('listen_addresses') as tcp,
            current_setting('fsync') as fsync, pg_encoding_to_char(encoding) as encoding, datcollate as collation
     from pg_database where datname = 'postgres'`,
  )
  expect(facts).toEqual({ checksums: 'on', tcp: '', fsync: 'on', encoding: 'UTF8', collation: 'C.UTF-8' })
  expect((await stat(join(dir, 'password'))).mode & 0o777).toBe(0o600)
  expect((await stat(cluster.socketDir)).mode & 0o777).toBe(0o700)
  expect(cluster.adopted).toBe(false)
})

test('a wrong password is refused even over the local socket', async () => {
  const cluster = await open(await freshPlace())
  const url = cluster.urlFor({ user: 'postgres', password: 'guess', database: 'postgres' })
  await expect(query(url, 'select 1')).rejects.toMatchObject({ code: '28P01' })
})

test('what was written is there after stop and start', async () => {
  const dir = await freshPlace()
  const first = await open(dir)
  await query(first.superuserUrl, 'create table kept as select 42 as answer')
  await first.stop()
  expect(await first.exited).toEqual({ code: 0, signal: null })
  const second = await open(dir)
  expect(await query(second.superuserUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('stopping twice at once ends one server and fails nobody', async () => {
  const dir = await freshPlace()
  const cluster = await open(dir)
  await Promise.all([cluster.stop(), cluster.stop()])
  await cluster.stop()
  expect(await readdir(join(dir, 'data'))).not.toContain('postmaster.pid')
})

test('a second open by the same process is refused and names it', async () => {
  const dir = await freshPlace()
  await open(dir)
  await expect(open(dir)).rejects.toMatchObject({
    code: 'database_in_use',
    message: expect.stringContaining(`process ${process.pid}`),
  })
})

test('an open while another process owns the directory is refused and names that process', async () => {
  const dir = await freshPlace()
  const owner = await ownerProcess(dir)
  await expect(open(dir)).rejects.toMatchObject({
    code: 'database_in_use',
    message: expect.stringContaining(`process ${owner.child.pid}`),
  })
  expect(await query(owner.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('spaces, quotes and umlauts in the path do not matter', async () => {
  const dir = join(await freshPlace(), `my data, "it's" größer`)
  await chmod(join(dir, '..'), 0o711)
  const cluster = await open(dir)
  expect(await query(cluster.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  await cluster.stop()
})

test.each([
  { LANG: 'xx_YY.bogus' },
  { LC_ALL: 'tr_TR' },
  { PGDATA: '/nowhere', PGPORT: '1', PGOPTIONS: '--bogus' },
  { PGDATESTYLE: 'bogus' },
])('the caller environment %o does not reach the server', async (env) => {
  const owner = await ownerProcess(await freshPlace(), { env })
  expect(
    await query(
      owner.url,
      `select lower('TITLE') as lower, datcollate as collation from pg_database limit 1`,
    ),
  ).toEqual([{ lower: 'title', collation: 'C.UTF-8' }])
})
