import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readPostmasterFile } from './postmaster-file.ts'

const whole = '4711\n/data\n1795239999\n5432\n/tmp/muster-pg-7a7d84e9b3a3\n\n  1234  5\nready   \n'

async function read(text: string) {
  const data = await mkdtemp(join(tmpdir(), 'muster-pidfile-'))
  onTestFinished(() => rm(data, { recursive: true }))
  await writeFile(join(data, 'postmaster.pid'), text)
  return readPostmasterFile(data)
}

test('however much of the file the server has written, no value is read that is only part of the real one', async () => {
  const full = await read(whole)
  expect(full).toEqual({
    pid: 4711,
    startedAt: '1795239999',
    port: 5432,
    socketDir: '/tmp/muster-pg-7a7d84e9b3a3',
    status: 'ready',
  })
  for (let length = 0; length < whole.length; length += 1) {
    const part = await read(whole.slice(0, length))
    if (part === undefined) continue
    expect([0, 5432]).toContain(part.port)
    expect(['', full?.socketDir]).toContain(part.socketDir)
    expect(part).toMatchObject({ pid: 4711, startedAt: '1795239999' })
  }
})
