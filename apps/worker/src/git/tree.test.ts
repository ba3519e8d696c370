import { expect, test } from 'vitest'
import { withObjects } from './objects.ts'
import { newPlace, plainGit, plainGitWith, type Place } from './person.fixture.ts'
import { createTreeReader, parseTree, readCommit, readTexts } from './tree.ts'

function inRepo<T>(place: Place, use: Parameters<typeof withObjects<T>>[2]): Promise<T> {
  return withObjects(place.git, { cwd: place.repo, timeoutMs: 20_000 }, use)
}

function mktree(place: Place, entries: string): string {
  return plainGitWith(place.repo, entries, 'mktree', '-z', '--missing')
}

test('a tree is listed as git lists it, whatever its files are called and are', async () => {
  const place = await newPlace()
  const blob = plainGitWith(place.repo, 'text', 'hash-object', '-w', '--stdin')
  const entries = [`100644 blob ${blob}\t-x`, `100755 blob ${blob}\tsp ace\n`, `120000 blob ${blob}\tü"\\`]
  const inner = mktree(place, entries.map((entry) => `${entry}\0`).join(''))
  const root = mktree(
    place,
    `040000 tree ${inner}\ta\0` +
      `100644 blob ${blob}\ta.b\0` +
      `040000 tree ${inner}\tc\0` +
      `160000 commit ${'1'.repeat(40)}\tsub\0`,
  )
  const listed = await plainGit(place.repo, 'ls-tree', '-r', '-z', '--full-tree', root)
  const read = await inRepo(place, (ask) => createTreeReader(ask)(root))
  const asGit = read.map(
    ({ mode, blob: id, path }) => `${mode} ${mode === '160000' ? 'commit' : 'blob'} ${id}\t${path}\0`,
  )
  expect(asGit.join('')).toBe(listed)
  expect(read).toHaveLength(8)
})

test('modes of old repositories are those that git takes them for', () => {
  const id = Buffer.alloc(20, 1)
  const entry = (mode: string) => Buffer.concat([Buffer.from(`${mode} x\0`), id])
  const modes = ['100644', '100664', '100600', '100755', '100775', '120000', '40000', '160000', '0']
  expect(modes.map((mode) => parseTree(entry(mode))[0]?.mode)).toEqual([
    '100644',
    '100644',
    '100644',
    '100755',
    '100755',
    '120000',
    '040000',
    '160000',
    '160000',
  ])
  for (const cut of [1, 21]) expect(() => parseTree(entry('100644').subarray(0, -cut))).toThrow('cut short')
})

test('a tree of ten folders in each of twelve levels, which costs nothing to make, is not listed', async () => {
  const place = await newPlace()
  let tree = mktree(place, `100644 blob ${'1'.repeat(40)}\tx\0`)
  for (let level = 0; level < 12; level += 1) {
    const below = tree
    tree = mktree(place, Array.from({ length: 10 }, (_, at) => `040000 tree ${below}\t${at}\0`).join(''))
  }
  const reading = inRepo(place, (ask) => createTreeReader(ask)(tree))
  await expect(reading).rejects.toMatchObject({ code: 'git_output_too_large' })
})

test('a commit tells its tree and all its parents; anything else is no commit', async () => {
  const place = await newPlace()
  const tree = await plainGit(place.repo, 'rev-parse', 'HEAD^{tree}')
  const one = await plainGit(place.repo, 'commit-tree', tree, '-p', place.head, '-m', 'parent x')
  const two = await plainGit(
    place.repo,
    'commit-tree',
    tree,
    '-p',
    one,
    '-p',
    place.head,
    '-m',
    `parent ${one}`,
  )
  await inRepo(place, async (ask) => {
    expect(await readCommit(ask, place.head)).toEqual({ tree, parents: [] })
    expect(await readCommit(ask, two)).toEqual({ tree, parents: [one, place.head] })
    for (const other of [tree, 'f'.repeat(40)]) expect(await readCommit(ask, other)).toBeUndefined()
  })
})

test('texts are the command files of the root that are files, cut at 256 KiB', async () => {
  const place = await newPlace()
  const long = plainGitWith(place.repo, 'x'.repeat(300_000), 'hash-object', '-w', '--stdin')
  const short = plainGitWith(place.repo, 'test:\n', 'hash-object', '-w', '--stdin')
  const tree = [
    { path: 'package.json', mode: '100644', blob: long },
    { path: 'Makefile', mode: '100755', blob: short },
    { path: 'makefile', mode: '120000', blob: short },
    { path: 'sub/package.json', mode: '100644', blob: short },
  ]
  const texts = await inRepo(place, (ask) => readTexts(ask, tree))
  expect(Object.keys(texts)).toEqual(['package.json', 'Makefile'])
  expect(texts['package.json']).toHaveLength(256 * 1024)
  expect(texts['Makefile']).toBe('test:\n')
})
