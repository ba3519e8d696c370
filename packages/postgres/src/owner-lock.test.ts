import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { takeOwnerLock } from './owner-lock.ts'
import { identify } from './process-identity.ts'

async function lockFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'muster-lock-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return join(dir, 'lock')
}

async function held(folder: string, content: string): Promise<void> {
  await (await takeOwnerLock(folder)).release()
  await writeFile(join(folder, '1'), content)
}

test('of many that ask at once exactly one gets the lock, also when a dead owner left one', async () => {
  for (const stale of [undefined, JSON.stringify({ pid: 4_194_000, startedAt: 'dead' })]) {
    const folder = await lockFolder()
    if (stale) await held(folder, stale)
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => takeOwnerLock(folder)))
    expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
    const codes = asked.flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as { code: string }).code] : [],
    )
    expect(new Set(codes)).toEqual(new Set(['database_in_use']))
  }
})

test('a lock whose pid meanwhile belongs to another process is taken over', async () => {
  const folder = await lockFolder()
  await held(folder, JSON.stringify({ pid: process.pid, startedAt: 'another start' }))
  await expect(takeOwnerLock(folder)).resolves.toBeDefined()
})

test('a lock of a living process is refused', async () => {
  const folder = await lockFolder()
  await held(folder, JSON.stringify(await identify(process.ppid)))
  await expect(takeOwnerLock(folder)).rejects.toMatchObject({ code: 'database_in_use' })
})

test('an empty lock file, as a power cut leaves it, does not keep anybody out', async () => {
  const folder = await lockFolder()
  await held(folder, '')
  await expect(takeOwnerLock(folder)).resolves.toBeDefined()
})

test('after release the next owner gets it, and old generations do not pile up', async () => {
  const folder = await lockFolder()
  for (let turn = 0; turn < 5; turn += 1) await (await takeOwnerLock(folder)).release()
  expect(await readdir(folder)).toEqual(['5'])
})
