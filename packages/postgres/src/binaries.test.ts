import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { linkLibraries } from './binaries.ts'

test('library links that npm did not make are made, by several processes at once and again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'muster-links-'))
  onTestFinished(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'native/lib'), { recursive: true })
  await writeFile(join(root, 'native/lib/libpq.so.5.18'), 'the library')
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]
  await writeFile(join(root, 'native/pg-symlinks.json'), JSON.stringify(links))
  expect(await Promise.all([linkLibraries(root), linkLibraries(root)])).toEqual([true, true])
  expect(await linkLibraries(root)).toBe(true)
  expect(await readFile(join(root, 'native/lib/libpq.so.5'), 'utf8')).toBe('the library')
})
