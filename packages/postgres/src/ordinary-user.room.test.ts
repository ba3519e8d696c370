import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshPlace, open, ownerProcess, query } from './cluster-test-place.ts'
import { blockedAncestor } from './server-user.ts'

const nobody = 65_534
const isRoot = process.getuid?.() === 0
const nodeReachable = (await blockedAncestor(process.execPath, { uid: nobody, gid: nobody })) === undefined

test.runIf(isRoot && nodeReachable)(
  'an ordinary user runs the server as themself and keeps the folder closed',
  async () => {
    const parent = await freshPlace()
    await chmod(parent, 0o711)
    const home = join(parent, 'home')
    await mkdir(home, { mode: 0o700 })
    await chown(home, nobody, nobody)
    const dir = join(home, '.local/share/muster/postgres')
    const owner = await ownerProcess(dir, { uid: nobody, env: { HOME: home } })
    expect(await query(owner.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect((await stat(`/proc/${owner.serverPid}`)).uid).toBe(nobody)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    owner.child.kill('SIGTERM')
    await new Promise((resolve) => owner.child.once('exit', resolve))
    expect(owner.child.exitCode).toBe(0)
  },
)

test.runIf(isRoot)('root runs the server as somebody else, and later as the owner of the data', async () => {
  const dir = await freshPlace()
  const first = await open(dir)
  const uid = (await stat(`/proc/${first.pid}`)).uid
  expect(uid).not.toBe(0)
  await first.stop()
  const second = await open(dir)
  expect((await stat(`/proc/${second.pid}`)).uid).toBe(uid)
})

test.runIf(isRoot)(
  'below a folder that the server user may not pass, root gets an error that names that folder',
  async () => {
    const parent = await freshPlace()
    await chmod(parent, 0o700)
    await expect(open(join(parent, 'deeper', 'data'))).rejects.toMatchObject({
      code: 'data_directory_unreachable',
      hint: expect.stringContaining(parent),
    })
  },
)

test.runIf(isRoot)('a socket folder that somebody else made first is refused', async () => {
  const dir = await freshPlace()
  const cluster = await open(dir)
  await cluster.stop()
  await mkdir(cluster.socketDir)
  await chown(cluster.socketDir, 12_345, 12_345)
  await expect(open(dir)).rejects.toMatchObject({ code: 'socket_directory_taken' })
  await chown(cluster.socketDir, 0, 0)
  await open(dir)
})
