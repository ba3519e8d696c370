import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { removeTree } from './remove-tree.ts'

const deep = `set -e; cd "$1"; name=$(printf 'd%.0s' $(seq 200))
  for i in $(seq 40); do mkdir $name; cd $name; done; touch end`

test('a tree that is deeper than a path can name is removed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'muster-deep-'))
  await promisify(execFile)('/bin/bash', ['-c', deep, 'deep', dir])
  await expect(rm(dir, { recursive: true })).rejects.toMatchObject({ code: 'ENAMETOOLONG' })
  await removeTree(dir)
  expect(existsSync(dir)).toBe(false)
})

test('directories without rights are removed, and what a link names stays', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'muster-closed-'))
  const kept = await mkdtemp(join(tmpdir(), 'muster-kept-'))
  await writeFile(join(kept, 'file'), '')
  await mkdir(join(dir, 'closed'))
  await writeFile(join(dir, 'closed', 'file'), '')
  await symlink(kept, join(dir, 'link'))
  await chmod(join(dir, 'closed'), 0)
  await removeTree(dir)
  expect([existsSync(dir), existsSync(join(kept, 'file'))]).toEqual([false, true])
  await rm(kept, { recursive: true })
})

test('a tree that is not there is removed already', async () => {
  await removeTree('/nonexistent/tree')
})
