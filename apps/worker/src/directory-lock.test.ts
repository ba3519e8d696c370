import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockDirectory } from './directory-lock.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-lock-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('a second worker in one directory is refused by name until the first has given it back', async () => {
  const release = await lockDirectory(dir)
  await expect(lockDirectory(dir)).rejects.toThrow(`another worker (pid ${process.pid})`)
  await release()
  await (
    await lockDirectory(dir)
  )()
  expect(await readdir(dir)).toEqual([])
})

test('the lock of a process that was killed, and one that is no lock at all, is taken over', async () => {
  const source = join(import.meta.dirname, 'directory-lock.ts')
  const script = `import(${JSON.stringify(source)}).then((m) => m.lockDirectory(${JSON.stringify(dir)})).then(() => process.kill(process.pid, 9))`
  expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL')
  await (
    await lockDirectory(dir)
  )()
  await writeFile(join(dir, 'worker.lock'), 'nonsense')
  await (
    await lockDirectory(dir)
  )()
})
