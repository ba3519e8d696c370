import { spawn } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { freshPlace, kill, open, query } from './cluster-test-place.ts'

test('every acknowledged row survives kill -9 of the postmaster under load', async () => {
  const dir = await freshPlace()
  const cluster = await open(dir)
  await query(cluster.superuserUrl, 'create table ledger (id int primary key)')
  const acknowledged: number[] = []
  const client = new Client({ connectionString: cluster.superuserUrl })
  client.on('error', () => {})
  await client.connect()
  const writing = (async () => {
    for (let id = 0; ; id += 1) {
      await client.query('insert into ledger values ($1)', [id])
      acknowledged.push(id)
    }
  })()
  writing.catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 500))
  kill(cluster.pid)
  expect(await cluster.exited).toEqual({ code: null, signal: 'SIGKILL' })
  await expect(writing).rejects.toThrow()
  await cluster.stop()

  const reopened = await open(dir)
  const rows = await query(reopened.superuserUrl, 'select id from ledger order by id')
  expect(acknowledged.length).toBeGreaterThan(50)
  const present = new Set(rows.map((row) => row['id']))
  expect(acknowledged.filter((id) => !present.has(id))).toEqual([])
})

test('an open while a backend of the killed postmaster still works waits for it and then starts', async () => {
  const dir = await freshPlace()
  const cluster = await open(dir)
  // A long statement does not look whether the postmaster lives; this one ends by its own limit.
  const busy = query(
    cluster.superuserUrl,
    `set statement_timeout = '3s'; select count(*) from generate_series(1, 1000000000) a`,
  )
  busy.catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 300))
  kill(cluster.pid)
  await cluster.exited
  await cluster.stop()
  const begun = Date.now()
  const reopened = await open(dir)
  expect(await query(reopened.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(Date.now() - begun).toBeGreaterThan(1000)
})

test('an initdb that was interrupted is done again', async () => {
  const whole = await freshPlace()
  await (await open(whole)).stop()
  const dir = await freshPlace()
  await cp(join(whole, 'data'), join(dir, 'data.new'), { recursive: true })
  await rm(join(dir, 'data.new', 'global', 'pg_control'))
  await writeFile(join(dir, 'password'), 'from-before-the-crash', { mode: 0o600 })
  const cluster = await open(dir)
  expect(cluster.superuserUrl).toContain('from-before-the-crash')
  expect(await readdir(dir)).not.toContain('data.new')
})

test('a folder called data that is not a database is refused and left as it is', async () => {
  const dir = await freshPlace()
  await mkdir(join(dir, 'data'))
  await writeFile(join(dir, 'data', 'thesis.txt'), 'three years')
  await expect(open(dir)).rejects.toMatchObject({ code: 'data_directory_invalid' })
  expect(await readFile(join(dir, 'data', 'thesis.txt'), 'utf8')).toBe('three years')
})

test('a database without its password file is refused with the way out', async () => {
  const dir = await freshPlace()
  await (await open(dir)).stop()
  await rm(join(dir, 'password'))
  await expect(open(dir)).rejects.toMatchObject({ code: 'password_missing' })
})

test('a postmaster.pid that names an innocent living process does not stop the start', async () => {
  const dir = await freshPlace()
  await (await open(dir)).stop()
  // Of the server's own user: PostgreSQL overlooks the processes of others by itself.
  const { uid, gid } = await stat(join(dir, 'data'))
  const innocent = spawn('sleep', ['60'], { uid, gid, cwd: '/' })
  onTestFinished(() => void innocent.kill())
  const file = [innocent.pid, join(dir, 'data'), '1700000000', '5432', '/tmp', '', '', 'ready'].join('\n')
  await writeFile(join(dir, 'data', 'postmaster.pid'), `${file}\n`)
  const cluster = await open(dir)
  expect(await query(cluster.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(cluster.adopted).toBe(false)
})

test('a failed start says what the server said', async () => {
  const dir = await freshPlace()
  await expect(open(dir, { settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('shared_buffers'),
  })
  expect(await query((await open(dir)).superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }])
})
