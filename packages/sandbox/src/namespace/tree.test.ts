import { execFileSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createDiskMeter } from './disk-usage.ts'

const deep = `set -e; cd "$1"; name=$(printf 'd%.0s' $(seq 200)); for i in $(seq 40); do mkdir $name; cd $name; done`

test('a tree that is deeper than a path can name counts as too large instead of failing the wall', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'muster-deep-'))
  onTestFinished(() => void execFileSync('rm', ['-rf', '--', dir]))
  const meter = await createDiskMeter(dir, 2 ** 40, 0)
  expect(await meter.isOver([])).toBe(false)
  execFileSync('/bin/bash', ['-c', deep, 'deep', dir])
  expect(await meter.isOver([])).toBe(true)
})
