import { readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  commitAll,
  newPlace,
  newRepo,
  newResult,
  plainGit,
  plainGitWith,
  write,
  type Place,
} from './person.fixture.ts'
import { checkPaths, takeIn } from './take-in.ts'

type Result = Awaited<ReturnType<typeof newResult>>

async function take(
  place: Place,
  result: Pick<Result, 'base' | 'commit'> & { bundle: string | null },
  runId = 'run1',
) {
  const mirror = await place.mirrors.update({ id: 'r', url: place.repo })
  const options = { bundle: result.bundle, runId, commit: result.commit, base: result.base }
  return { mirror: mirror.path, taken: await takeIn({ git: place.git, mirror: mirror.path, ...options }) }
}

async function refusal(place: Place, result: Pick<Result, 'base' | 'commit'> & { bundle: string | null }) {
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  const before = await readdir(mirror, { recursive: true })
  const refused = await take(place, result).catch((error: { code: string; message: string }) => error)
  expect(await readdir(mirror, { recursive: true }), 'nothing of it may stay').toEqual(before)
  return refused
}

test('a result becomes a ref of the mirror, with its numbers, its diff and both file lists', async () => {
  const place = await newPlace({ 'a.txt': 'one\ntwo\n', Makefile: 'test:\n\ttrue\n' })
  const result = await newResult(place, 'work', (clone) =>
    commitAll(clone, { 'a.txt': 'one\nthree\n', 'sp ace/ü\n-.txt': 'x\n', 'bin.dat': '\0\u0001' }),
  )
  const { mirror, taken } = await take(place, result)
  expect(taken.ref).toBe('refs/muster/runs/run1')
  expect(await plainGit(mirror, 'rev-parse', taken.ref)).toBe(result.commit)
  expect(taken.changed).toEqual({ files: 3, insertions: 2, deletions: 1 })
  expect(taken.diff).toMatchObject({ cut: false, text: expect.stringContaining('-two\n+three\n') as string })
  expect(taken.trees.base.map(({ path }) => path)).toEqual(['Makefile', 'a.txt'])
  expect(taken.trees.commit.map(({ path }) => path)).toEqual([
    'Makefile',
    'a.txt',
    'bin.dat',
    'sp ace/ü\n-.txt',
  ])
  expect(taken.baseTexts).toEqual({ Makefile: 'test:\n\ttrue\n' })
  expect(await plainGit(mirror, 'fsck')).toBe('')
})

test('a run that changed nothing is taken in without a bundle', async () => {
  const place = await newPlace()
  const { taken } = await take(place, { base: place.head, commit: place.head, bundle: null })
  expect(taken).toMatchObject({
    changed: { files: 0, insertions: 0, deletions: 0 },
    diff: { text: '', cut: false },
  })
  const lie = { base: place.head, commit: 'f'.repeat(40), bundle: null }
  expect(await refusal(place, lie)).toMatchObject({ code: 'take_in_refused' })
})

test('taking the same result in twice is the same as once', async () => {
  const place = await newPlace()
  const result = await newResult(place, 'work', (clone) => commitAll(clone, { 'b.txt': 'B' }))
  const first = await take(place, result)
  expect((await take(place, result)).taken).toEqual(first.taken)
})

test('a diff longer than 1 MiB is cut at a line and says so', async () => {
  const place = await newPlace()
  const long = `${'line of some length\n'.repeat(80_000)}`
  const result = await newResult(place, 'work', (clone) => commitAll(clone, { 'big.txt': long }))
  const { taken } = await take(place, result)
  expect(taken.changed.insertions).toBe(80_000)
  expect(taken.diff.cut).toBe(true)
  expect(taken.diff.text).toMatch(/\n\+line of some length\n\[… the rest .* 1 MiB …\]\n$/)
})

test('a commit other than the one that was named is refused', async () => {
  const place = await newPlace()
  const result = await newResult(place, 'work', (clone) => commitAll(clone, { 'b.txt': 'B' }))
  expect(await refusal(place, { ...result, commit: result.base })).toMatchObject({ code: 'take_in_refused' })
})

test('history that does not stand on the base is refused', async () => {
  const place = await newPlace()
  const other = place.at('other')
  const commit = await newRepo(other, { 'unrelated.txt': 'Z' })
  const bundle = place.at('other.bundle')
  await plainGit(other, 'bundle', 'create', '--quiet', bundle, 'HEAD')
  expect(await refusal(place, { base: place.head, commit, bundle })).toMatchObject({
    code: 'history_rewritten',
  })
})

test('a file that is no bundle, is cut short, or is a link, is refused', async () => {
  const place = await newPlace()
  const result = await newResult(place, 'work', (clone) => commitAll(clone, { 'b.txt': 'B'.repeat(5_000) }))
  const junk = place.at('junk')
  await writeFile(junk, 'not a bundle\n\n')
  expect(await refusal(place, { ...result, bundle: junk })).toMatchObject({ code: 'take_in_refused' })
  const link = place.at('link')
  await symlink(result.bundle, link)
  await expect(take(place, { ...result, bundle: link })).rejects.toMatchObject({ code: 'ELOOP' })
  await truncate(result.bundle, 200)
  expect(await refusal(place, result)).toMatchObject({ code: 'take_in_refused' })
})

/** Makes a commit whose tree git would not make itself. */
function oddCommit(clone: string, base: string, entries: string): string {
  const tree = plainGitWith(clone, entries, 'mktree', '-z')
  return plainGitWith(clone, '', 'commit-tree', tree, '-p', base, '-m', 'odd')
}

const oddTrees: [string, (blob: string, tree: string) => string][] = [
  ['a .git folder', (_, tree) => `040000 tree ${tree}\t.git\0`],
  ['a .GIT folder', (_, tree) => `040000 tree ${tree}\t.GIT\0`],
  ['a git~1 folder', (_, tree) => `040000 tree ${tree}\tgit~1\0`],
  ['a .git folder with an invisible character', (_, tree) => `040000 tree ${tree}\t.g\u200cit\0`],
  ['a path ..', (_, tree) => `040000 tree ${tree}\t..\0`],
  ['a .gitmodules link', (blob) => `120000 blob ${blob}\t.gitmodules\0`],
]

test.each(oddTrees)('a result with %s is refused', async (_, entries) => {
  const place = await newPlace()
  const result = await newResult(place, 'work', async (clone) => {
    const blob = plainGitWith(clone, 'evil', 'hash-object', '-w', '--stdin')
    const tree = plainGitWith(clone, `100644 blob ${blob}\tconfig\0`, 'mktree', '-z')
    const odd = oddCommit(clone, place.head, entries(blob, tree))
    await writeFile(join(clone, '.git/refs/heads/main'), `${odd}\n`)
  })
  expect(await refusal(place, result)).toMatchObject({ code: 'take_in_refused' })
})

test.each(['-u./payload', '../../.git/x'])(
  '.gitmodules with the name or address %s is refused',
  async (value) => {
    const place = await newPlace()
    const text = value.startsWith('-')
      ? `[submodule "a"]\n\tpath = a\n\turl = ${value}\n`
      : `[submodule "${value}"]\n\tpath = a\n\turl = https://example.org/x\n`
    const result = await newResult(place, 'work', (clone) => commitAll(clone, { '.gitmodules': text }))
    expect(await refusal(place, result)).toMatchObject({ code: 'take_in_refused' })
  },
)

test('a repository left inside the workspace is refused by name, since its files would be lost', async () => {
  const place = await newPlace()
  const result = await newResult(place, 'work', async (clone) => {
    await newRepo(join(clone, 'vendor/inner'))
    await commitAll(clone, {})
  })
  const refused = await refusal(place, result)
  expect(refused).toMatchObject({
    code: 'nested_repository',
    message: expect.stringContaining('vendor/inner') as string,
  })
})

test('.git is refused in any case and at any depth, whatever git itself thinks of it', () => {
  const entry = (path: string) => ({ path, mode: '100644', blob: 'b' })
  for (const path of ['.git/config', 'a/.GiT/hooks/x', '.Git']) {
    expect(() => checkPaths({ base: [], commit: [entry(path)] })).toThrow('contains the path')
  }
  expect(() => checkPaths({ base: [], commit: [entry('.gitignore'), entry('a.git/x')] })).not.toThrow()
})

test('commits the agent made itself are kept, with their messages', async () => {
  const place = await newPlace()
  const result = await newResult(place, 'work', async (clone) => {
    await commitAll(clone, { 'b.txt': 'B' }, 'First')
    await commitAll(clone, { 'c.txt': 'C' }, 'Second')
  })
  const { mirror, taken } = await take(place, result)
  expect(await plainGit(mirror, 'log', '--format=%s', `${result.base}..${taken.ref}`)).toBe('Second\nFirst')
})

test('attributes and links of the result have no effect on this machine', async () => {
  const place = await newPlace()
  const result = await newResult(place, 'work', async (clone) => {
    await write(clone, { '.gitattributes': '* diff=evil filter=evil\n*.secret -diff\n' })
    await symlink('/etc/passwd', join(clone, 'passwd'))
    await commitAll(clone, { 'a.secret': 'visible\n' })
  })
  const { taken } = await take(place, result)
  expect(taken.diff.text).toContain('+/etc/passwd')
  expect(taken.diff.text).not.toContain(
    await readFile('/etc/passwd', 'utf8').then((text) => text.split('\n')[0] ?? ''),
  )
  expect(taken.diff.text).toContain('+visible')
})
