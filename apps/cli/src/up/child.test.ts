import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startChild } from './child.ts'
import { openLogFile } from './log-file.ts'

test('a part leaves what it compiled beside its data, so that the next one starts sooner', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'muster-child-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  const script = join(cwd, 'part.mjs')
  await writeFile(
    script,
    `import { flushCompileCache } from 'node:module'\nflushCompileCache()\nsetTimeout(() => {}, 300)\n`,
  )
  const log = openLogFile(cwd, 'part', { bytes: 1_000_000, files: 2 })
  const child = await startChild({ name: 'part', script, cwd, env: {}, log, graceMs: 1_000 })
  expect(await child.ended).toBe('exit code 0')
  expect((await readdir(join(cwd, 'compiled'), { recursive: true })).length).toBeGreaterThan(1)
})
