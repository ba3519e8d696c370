import * as fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readIndex } from './git-index.ts'
import { commitObject, nameOf, packOf } from './git-objects.ts'
import { readTreeList, treesOf } from './git-trees.ts'

function repository() {
  const dir = mkdtempSync(join(tmpdir(), 'muster-trees-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const git = (args: string[], input?: string | Buffer) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], {
      cwd: dir,
      input,
    })
  git(['init', '-q'])
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return { dir, git, write, index: () => readIndex(readFileSync(join(dir, '.git/index'))) }
}

// What sorts differently with and without the slash, names that are no UTF-8 by luck, and ones longer than the flags hold.
const name = fc.constantFrom('a', 'a.b', 'a-b', 'a0', 'é', '日本', ' ', 'A', `${'x'.repeat(200)}`)
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'))
const files = fc.array(path, { minLength: 1, maxLength: 12 }).map((paths) => {
  const taken = [...new Set(paths)].toSorted()
  return taken.filter((each) => !taken.some((other) => other.startsWith(`${each}/`)))
})

test('trees made from the index are those that git writes, and git takes a pack of them', () => {
  fc.assert(
    fc.property(files, (paths) => {
      const { git, write, index } = repository()
      for (const each of paths) write(each, `in ${each}`)
      git(['add', '--all'])
      const entries = index() ?? []
      expect(entries).toHaveLength(paths.length)
      const trees = treesOf(entries)
      const root = [...trees.keys()].at(-1) ?? ''
      expect(root).toBe(git(['write-tree']).toString().trim())
      expect(readTreeList(git(['ls-tree', '-r', '-z', root]))).toEqual(entries)

      const blobs = entries.map(({ id }) => ({ type: 'blob' as const, body: git(['cat-file', 'blob', id]) }))
      const commit = commitObject(root, '0'.repeat(40), 1)
      const other = repository()
      other.git(['index-pack', '--stdin'], packOf([...trees.values(), ...blobs]))
      expect(other.git(['ls-tree', '-r', '--name-only', '-z', root]).toString().split('\0')).toHaveLength(
        paths.length + 1,
      )
      expect(nameOf(commit)).toBe(
        git(['hash-object', '-t', 'commit', '--literally', '--stdin'], commit.body).toString().trim(),
      )
    }),
    { numRuns: 15 },
  )
}, 60_000)

test('links and executable files keep their mode', () => {
  const { dir, git, write, index } = repository()
  write('run.sh', '#!/bin/sh\n')
  git(['add', '--all'])
  git(['update-index', '--chmod=+x', 'run.sh'])
  symlinkSync('run.sh', join(dir, 'link'))
  git(['add', 'link'])
  expect(index()?.map(({ mode }) => mode)).toEqual(['120000', '100755'])
})

test.each<[string, (repo: ReturnType<typeof repository>) => void]>([
  ['an entry that is only intended', ({ git, write }) => (write('b', '1'), git(['add', '-N', 'b']))],
  ['version 4', ({ git }) => git(['update-index', '--index-version', '4'])],
  ['a split index', ({ git }) => git(['update-index', '--split-index'])],
  [
    'a conflict',
    ({ git }) =>
      git(
        ['update-index', '--index-info'],
        `100644 ${git(['hash-object', '-w', '--stdin'], 'x').toString().trim()} 1\tc\n`,
      ),
  ],
  ['junk', ({ dir }) => writeFileSync(join(dir, '.git/index'), 'junk'.repeat(100))],
])('an index with %s is left to git', (_, change) => {
  const repo = repository()
  repo.write('a', '1')
  repo.git(['add', 'a'])
  expect(repo.index()).toHaveLength(1)
  change(repo)
  expect(repo.index()).toBeNull()
})

test('an index cut anywhere is never read as a whole one', () => {
  const { dir, git, write } = repository()
  for (const each of ['a', 'b/c', 'd']) write(each, each)
  git(['add', '--all'])
  const whole = readFileSync(join(dir, '.git/index'))
  for (let at = 0; at < whole.length; at += 1) {
    const cut = readIndex(whole.subarray(0, at))
    expect(cut?.length ?? 3).toBe(3)
  }
})

test('objects of every length are named and packed as git does', () => {
  const { git } = repository()
  for (const length of [0, 1, 15, 16, 2_047, 2_048, 262_143, 262_144, 5_000_000]) {
    const blob = { type: 'blob' as const, body: Buffer.alloc(length, 'x') }
    git(['index-pack', '--stdin'], packOf([blob]))
    expect(
      git(['cat-file', '-s', nameOf(blob)])
        .toString()
        .trim(),
    ).toBe(String(length))
  }
})
