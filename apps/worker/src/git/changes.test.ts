import { chmod, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readChanges } from './changes.ts'
import { newPlace, plainGit, plainGitWith, write, type Place } from './person.fixture.ts'

const lines = (count: number) => Array.from({ length: count }, (_, at) => `line ${at}\n`).join('')

/** The numbers without renames and the text with them, each asked of git alone. */
async function asGitSays(place: Place, commit: string) {
  const options = ['-c', 'core.quotePath=false']
  const counted = await plainGit(
    place.repo,
    ...options,
    'diff',
    '--numstat',
    '--no-renames',
    place.head,
    commit,
  )
  const rows = counted === '' ? [] : counted.split('\n').map((row) => row.split('\t'))
  const sum = (column: number) =>
    rows.reduce((total, row) => total + (row[column] === '-' ? 0 : Number(row[column])), 0)
  const text = await plainGit(place.repo, ...options, 'diff', '--find-renames', place.head, commit)
  return { changed: { files: rows.length, insertions: sum(0), deletions: sum(1) }, text }
}

test.each<[string, (repo: string) => Promise<unknown>]>([
  [
    'changes, additions and removals',
    async (repo) => {
      await write(repo, { 'a.txt': lines(9), 'new/b.txt': 'B\n', 'empty.txt': '' })
      await rm(join(repo, 'moved.txt'))
    },
  ],
  ['a file that was moved', (repo) => rename(join(repo, 'moved.txt'), join(repo, 'new.txt'))],
  [
    'a file that was moved and changed',
    async (repo) => {
      await rm(join(repo, 'moved.txt'))
      await write(repo, { 'new.txt': `${lines(30)}more\n`, 'a.txt': 'other\n' })
    },
  ],
  [
    'a right to execute, and bytes',
    async (repo) => {
      await chmod(join(repo, 'a.txt'), 0o755)
      await write(repo, { 'bin.dat': '\0\u0001' })
    },
  ],
  [
    'names that are hard to read',
    (repo) =>
      write(repo, {
        'R100\ttab': 'x\n',
        'line\n\nbreak': 'y\n',
        ':100644 R100': 'z\n',
        'ü "q" \\': 'q\n',
        ' => x': '1\n',
      }),
  ],
  ['nothing', async () => undefined],
])('the numbers and the text of %s are those that git gives one by one', async (_, work) => {
  const place = await newPlace({ 'a.txt': lines(5), 'moved.txt': lines(30) })
  await work(place.repo)
  await plainGit(place.repo, 'add', '--all')
  await plainGit(place.repo, 'commit', '--quiet', '--allow-empty', '--message', 'x')
  const commit = await plainGit(place.repo, 'rev-parse', 'HEAD')
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  const { changed, diff } = await readChanges(place.git, { mirror, base: place.head, commit })
  expect({ changed, text: diff.text.trim() }).toEqual(await asGitSays(place, commit))
})

test('more files than a head has room for are all counted, and the text is cut', async () => {
  const place = await newPlace()
  const blob = plainGitWith(place.repo, 'x\n', 'hash-object', '-w', '--stdin')
  const names = Array.from({ length: 2_500 }, (_, at) => `${'long'.repeat(50)}${at}`)
  const tree = plainGitWith(
    place.repo,
    names.map((name) => `100644 blob ${blob}\t${name}\n`).join(''),
    'mktree',
  )
  const commit = await plainGit(place.repo, 'commit-tree', tree, '-p', place.head, '-m', 'x')
  await plainGit(place.repo, 'tag', 'many', commit)
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  const { changed, diff } = await readChanges(place.git, { mirror, base: place.head, commit })
  expect(changed).toEqual({ files: 2_501, insertions: 2_500, deletions: 1 })
  expect(diff.cut).toBe(true)
  expect(diff.text).toMatch(/^diff --git /)
  expect(Buffer.byteLength(diff.text)).toBeLessThan(1024 * 1024 + 100)
})
