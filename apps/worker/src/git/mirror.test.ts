import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMirrors } from './mirror.ts'
import { hasAll } from './own-refs.ts'
import { commitAll, newPlace, newRepo, plainGit, type Place } from './person.fixture.ts'

function restarted(place: Place) {
  return createMirrors({ dir: place.at('mirrors'), git: place.git })
}

test('a mirror has the branches and tags of the person, and follows when they move or vanish', async () => {
  const place = await newPlace()
  await plainGit(place.repo, 'branch', 'topic')
  await plainGit(place.repo, 'tag', 'v1')
  const first = await place.mirrors.update({ id: 'r1', url: place.repo })
  expect(first).toMatchObject({ branch: 'main', base: place.head })
  expect(await refs(first.path)).toEqual([
    'refs/remotes/origin/main',
    'refs/remotes/origin/topic',
    'refs/tags/v1',
  ])

  const next = await commitAll(place.repo, { 'b.txt': 'B\n' })
  await plainGit(place.repo, 'branch', '-D', 'topic')
  expect(await place.mirrors.update({ id: 'r1', url: `file://${place.repo}` })).toMatchObject({ base: next })
  expect(await refs(first.path)).toEqual(['refs/remotes/origin/main', 'refs/tags/v1'])
})

async function refs(mirror: string): Promise<string[]> {
  return (await plainGit(mirror, 'for-each-ref', '--format=%(refname)')).split('\n').filter(Boolean)
}

test('nothing is fetched when nothing changed; what workers published waits for the next fetch', async () => {
  const place = await newPlace()
  const verbs: (string | undefined)[] = []
  const counted = {
    ...place.git,
    run: (...[args, options]: Parameters<typeof place.git.run>) => {
      verbs.push(args[0])
      return place.git.run(args, options)
    },
  }
  const mirrors = createMirrors({ dir: place.at('mirrors'), git: counted })
  const update = (branch?: string) => mirrors.update({ id: 'r', url: place.repo, branch })
  const { path } = await update()
  const published = 'muster/bot/one'
  await plainGit(place.repo, 'branch', published)
  verbs.length = 0
  expect(await update()).toMatchObject({ base: place.head })
  expect(verbs).toEqual([])

  expect(await update(published)).toMatchObject({ base: place.head })
  expect(verbs).toContain('fetch')
  await plainGit(place.repo, 'branch', '-D', published)
  await plainGit(place.repo, 'tag', 'v2')
  await update()
  expect(await refs(path)).toEqual(['refs/remotes/origin/main', 'refs/tags/v2'])
})

test.each([
  ['nothing is different', [], true],
  ['a branch moved', [['refs/remotes/origin/main', 'b']], false],
  ['a branch is gone there', [['refs/remotes/origin/old', 'a']], false],
  ['a tag is gone there', [['refs/tags/old', 'a']], false],
  ['only what was published is gone there', [['refs/remotes/origin/muster/bot/old', 'a']], true],
] as [string, [string, string][], boolean][])('when %s, a fetch is left away: %s', (_, more, isLeftAway) => {
  const theirs = {
    head: 'main',
    branches: new Map([
      ['main', 'a'],
      ['muster-failed/bot/x', 'c'],
    ]),
    tags: new Map([['v1', 't']]),
  }
  const own = new Map([['refs/remotes/origin/main', 'a'], ['refs/tags/v1', 't'], ...more])
  expect(hasAll(own, theirs, 'main')).toBe(isLeftAway)
  expect(hasAll(own, theirs, 'muster-failed/bot/x')).toBe(false)
})

test('the base is the branch the person’s HEAD names, or the one that was asked for', async () => {
  const place = await newPlace()
  await plainGit(place.repo, 'checkout', '--quiet', '-b', 'trunk')
  const trunk = await commitAll(place.repo, { 'b.txt': 'B' })
  expect(await place.mirrors.update({ id: 'r', url: place.repo })).toMatchObject({
    branch: 'trunk',
    base: trunk,
  })
  const asked = await place.mirrors.update({ id: 'r', url: place.repo, branch: 'main' })
  expect(asked).toMatchObject({ branch: 'main', base: place.head })
  await plainGit(place.repo, 'checkout', '--quiet', '--detach')
  expect(await place.mirrors.update({ id: 'r', url: place.repo })).toMatchObject({ branch: 'main' })
  const missing = place.mirrors.update({ id: 'r', url: place.repo, branch: 'gone' })
  await expect(missing).rejects.toMatchObject({ code: 'repo_no_default_branch' })
})

test('what is wrong with an address is told apart', async () => {
  const place = await newPlace()
  await newRepo(place.at('empty'), {})
  await mkdir(place.at('folder'))
  await writeFile(place.at('file'), '# v2 git bundle\n')
  const codeOf = (url: string) =>
    place.mirrors.update({ id: 'r', url }).catch((error: { code: string }) => error.code)
  expect(await codeOf(place.at('gone'))).toBe('repo_not_found')
  expect(await codeOf(place.at('folder'))).toBe('repo_not_git')
  expect(await codeOf(place.at('file'))).toBe('repo_not_git')
  expect(await codeOf(place.at('empty'))).toBe('repo_empty')
  expect(await codeOf('https://127.0.0.1:1/x.git')).toBe('repo_unreachable')
  expect(await codeOf('ext::touch x')).toBe('repo_url_refused')
  expect(await readdir(place.at('mirrors'))).toEqual([])
})

test('callers for one repository take turns and all get the newest state', async () => {
  const place = await newPlace()
  const updates = Array.from({ length: 5 }, () => place.mirrors.update({ id: 'r', url: place.repo }))
  expect((await Promise.all(updates)).map(({ base }) => base)).toEqual(Array(5).fill(place.head))
})

test('a caller that fails does not stop the one behind it', async () => {
  const place = await newPlace()
  const bad = place.mirrors.update({ id: 'r', url: place.at('gone') })
  const good = place.mirrors.update({ id: 'r', url: place.repo })
  await expect(bad).rejects.toMatchObject({ code: 'repo_not_found' })
  expect(await good).toMatchObject({ base: place.head })
})

test('lock files and drafts of a killed worker are gone after its next start', async () => {
  const place = await newPlace()
  const { path } = await place.mirrors.update({ id: 'r', url: place.repo })
  const locks = [
    'packed-refs.lock',
    'config.lock',
    'refs/remotes/origin/main.lock',
    'objects/pack/tmp_pack_x',
  ]
  for (const lock of locks) await writeFile(join(path, lock), '')
  await mkdir(`${path}.draft`)
  await mkdir(join(path, 'incoming-old', 'pack'), { recursive: true })
  await mkdir(join(path, 'history', 'draft-old'), { recursive: true })
  const head = await commitAll(place.repo, { 'b.txt': 'B' })
  await plainGit(place.repo, 'branch', 'tmp_branch')
  const after = await restarted(place).update({ id: 'r', url: place.repo })
  expect(after.base).toBe(head)
  const left = await readdir(place.at('mirrors'), { recursive: true })
  expect(left.filter((name) => /\.lock$|tmp_pack|draft|incoming/.test(name))).toEqual([])
})

test.each(['HEAD', 'objects', 'config'])('a mirror whose %s is lost is built anew', async (part) => {
  const place = await newPlace()
  const { path } = await place.mirrors.update({ id: 'r', url: place.repo })
  await rm(join(path, part), { recursive: true })
  expect(await restarted(place).update({ id: 'r', url: place.repo })).toMatchObject({ base: place.head })
  expect(await plainGit(path, 'fsck')).toBe('')
})

test('a rebuilt mirror keeps the results of runs that can still be read', async () => {
  const place = await newPlace()
  const { path } = await place.mirrors.update({ id: 'r', url: place.repo })
  await plainGit(path, 'update-ref', 'refs/muster/runs/one', place.head)
  await rename(path, `${path}.broken`)
  await mkdir(`${path}.draft`)
  await restarted(place).update({ id: 'r', url: place.repo })
  expect(await plainGit(path, 'rev-parse', 'refs/muster/runs/one')).toBe(place.head)
})

test('progress names a phase and a percentage that only grows within it', async () => {
  const place = await newPlace()
  const seen: { phase: string; percent: number }[] = []
  await place.mirrors.update({ id: 'r', url: place.repo }, { onProgress: (step) => seen.push(step) })
  const counting = seen.filter(({ phase }) => phase === 'counting objects').map(({ percent }) => percent)
  expect(counting.at(-1)).toBe(100)
  expect(counting).toEqual(counting.toSorted((a, b) => a - b))
})

test('a name that is a path cannot become a mirror', async () => {
  const place = await newPlace()
  for (const id of ['../x', 'a/b', '.git', ''])
    expect(() => place.mirrors.pathOf(id)).toThrow('cannot name a mirror')
})

const asRoot = test.runIf(process.getuid?.() === 0)

asRoot('as root, a repository is read with the rights of its owner', async () => {
  const place = await newPlace()
  await newRepo(place.at('secret'), { 'secret.txt': 'S' })
  await chmod(place.at('secret'), 0o700)
  // Through alternates the repository of one person could name objects of another.
  await writeFile(join(place.repo, '.git/objects/info/alternates'), `${place.at('secret')}/.git/objects\n`)
  const stolen = await plainGit(place.at('secret'), 'rev-parse', 'HEAD')
  await writeFile(join(place.repo, '.git/refs/heads/main'), `${stolen}\n`)
  execFileSync('chown', ['-R', '4242:4242', place.repo])
  await expect(place.mirrors.update({ id: 'r', url: place.repo })).rejects.toMatchObject({
    code: /repo_|git_failed/,
  })
})
