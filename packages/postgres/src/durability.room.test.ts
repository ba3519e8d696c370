import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { bundledBinaries } from './binaries.ts'
import { eventuallyTrue, freshPlace, open, query } from './cluster-test-place.ts'
import { checkDurability } from './durability.ts'
import { readPostmasterFile } from './postmaster-file.ts'
import { isServerOf, serverProcessesOf } from './process-identity.ts'

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

test("somebody else's running server with fsync off is refused and keeps running", async () => {
  const dir = await freshPlace()
  await (await open(dir)).stop()
  const data = join(dir, 'data')
  const { uid, gid } = await stat(data)
  const { postgres } = await bundledBinaries(dir, { uid, gid })
  const socket = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${data}`]
  const server = spawn(postgres, ['-D', data, '-F', ...socket], { uid, gid, cwd: '/', stdio: 'ignore' })
  expect(await eventuallyTrue(async () => (await readPostmasterFile(data))?.status === 'ready')).toBe(true)
  await expect(open(dir)).rejects.toMatchObject({ code: 'fsync_off' })
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(await isServerOf(server.pid ?? 0, data)).toBe(true)
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
