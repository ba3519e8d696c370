import { Client } from 'pg'
import { existsSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { freshPlace, open, query } from './cluster-test-place.ts'
import { checkDurability } from './durability.ts'
import { serverProcessesOf } from './process-identity.ts'
import { join } from 'node:path'

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

test.each([
  ['fsync', 'fsync_off'],
  ['full_page_writes', 'full_page_writes_off'],
  ['synchronous_commit', 'synchronous_commit_off'],
])('a server that runs with %s = off is refused and not left running', async (name, code) => {
  const dir = await freshPlace()
  await expect(open(dir, { settings: { [name]: 'off' } })).rejects.toMatchObject({ code })
  expect(await serverProcessesOf(join(dir, 'data'))).toEqual([])
})

test('a database where synchronous_commit was switched off is refused, and a default one passes', async () => {
  const cluster = await open(await freshPlace())
  await checkDurability(await connect(cluster.superuserUrl))
  await query(cluster.superuserUrl, 'alter database postgres set synchronous_commit = off')
  const after = await connect(cluster.superuserUrl)
  await expect(checkDurability(after)).rejects.toMatchObject({ code: 'synchronous_commit_off' })
})

test('fsync switched off by ALTER SYSTEM is overruled', async () => {
  const dir = await freshPlace()
  const first = await open(dir)
  await query(first.superuserUrl, 'alter system set fsync = off')
  await first.stop()
  const second = await open(dir)
  expect(await query(second.superuserUrl, 'show fsync')).toEqual([{ fsync: 'on' }])
})

const debian = '/usr/lib/postgresql/15/bin'

test.skipIf(!existsSync(debian))(
  'an installed PostgreSQL 15 serves as well, and its data is refused to 18',
  async () => {
    const dir = await freshPlace()
    const cluster = await open(dir, { binaries: debian })
    const [row] = await query(
      cluster.superuserUrl,
      `select current_setting('server_version_num')::int / 10000 as major`,
    )
    expect(row).toEqual({ major: 15 })
    await cluster.stop()
    await expect(open(dir)).rejects.toMatchObject({ code: 'version_mismatch' })
  },
)

test('a server version before 15 is refused', async () => {
  const ancient = {
    query: () =>
      Promise.resolve({
        rows: [
          { name: 'server_version_num', setting: '140011' },
          { name: 'fsync', setting: 'on' },
        ],
      }),
  }
  await expect(checkDurability(ancient)).rejects.toMatchObject({ code: 'server_too_old' })
})
