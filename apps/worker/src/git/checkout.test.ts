import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from './checkout.ts'
import { commitAll, newPlace, plainGit, type Place } from './person.fixture.ts'

const author = { name: 'Muster "bot"\n[core]', email: 'agent@muster.invalid' }

async function checkedOut(place: Place, commit?: string) {
  const mirror = await place.mirrors.update({ id: 'r', url: place.repo })
  const into = place.at('clone')
  await checkout({
    git: place.git,
    mirror: mirror.path,
    commit: commit ?? mirror.base,
    branch: 'muster/bot/x',
    into,
    author,
  })
  return into
}

test('a checkout stands on its branch at the commit, clean, with its whole history and no remote', async () => {
  const place = await newPlace()
  const next = await commitAll(place.repo, { 'b/c.txt': 'C\n' })
  const clone = await checkedOut(place)
  expect(await plainGit(clone, 'symbolic-ref', 'HEAD')).toBe('refs/heads/muster/bot/x')
  expect(await plainGit(clone, 'log', '--format=%H')).toBe(`${next}\n${place.head}`)
  expect(await plainGit(clone, 'status', '--porcelain')).toBe('')
  expect(await plainGit(clone, 'remote')).toBe('')
  expect(await readFile(join(clone, 'b/c.txt'), 'utf8')).toBe('C\n')
  expect(await plainGit(clone, 'config', 'user.name')).toBe('Muster "bot" [core]')
})

test('a checkout shares no file with the mirror and needs it no more', async () => {
  const place = await newPlace()
  const clone = await checkedOut(place)
  const names = await readdir(join(clone, '.git'), { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files) expect((await stat(file)).nlink, file).toBe(1)
  expect(files.filter((file) => file.endsWith('alternates'))).toEqual([])
  expect(await readFile(join(clone, '.git/config'), 'utf8')).not.toContain(place.root)
})

test('objects of other branches and of other runs stay in the mirror', async () => {
  const place = await newPlace()
  await plainGit(place.repo, 'checkout', '--quiet', '-b', 'other')
  const other = await commitAll(place.repo, { 'secret.txt': 'S' })
  await plainGit(place.repo, 'checkout', '--quiet', 'main')
  const clone = await checkedOut(place)
  await expect(plainGit(clone, 'cat-file', '-e', other)).rejects.toThrow()
})

test('a commit that only a result’s ref keeps can be checked out', async () => {
  const place = await newPlace()
  const { path } = await place.mirrors.update({ id: 'r', url: place.repo })
  const tree = await plainGit(path, 'rev-parse', `${place.head}^{tree}`)
  const result = await plainGit(path, 'commit-tree', tree, '-p', place.head, '-m', 'result')
  await plainGit(path, 'update-ref', 'refs/muster/runs/r1', result)
  const clone = await checkedOut(place, result)
  expect(await plainGit(clone, 'rev-parse', 'HEAD')).toBe(result)
})

test('a commit that does not exist leaves no directory behind', async () => {
  const place = await newPlace()
  await expect(checkedOut(place, 'f'.repeat(40))).rejects.toMatchObject({ code: 'checkout_failed' })
  await expect(stat(place.at('clone'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a checkout has what git init would have made, and git finds nothing wrong with it', async () => {
  const place = await newPlace()
  const clone = await checkedOut(place)
  await plainGit(place.root, 'init', '--quiet', '--template=', place.at('plain'))
  const plain = await readFile(place.at('plain/.git/config'), 'utf8')
  expect((await readFile(join(clone, '.git/config'), 'utf8')).startsWith(plain)).toBe(true)
  const made = new Set(await readdir(join(clone, '.git'), { recursive: true }))
  for (const name of await readdir(place.at('plain/.git'), { recursive: true }))
    expect(made, name).toContain(name)
  expect(await plainGit(clone, 'fsck', '--strict')).toBe('')
})

test.each(['../../../x', 'muster/../x', '/x', 'a//b', '.hidden', 'a/x.lock', 'a.', 'a b', '-x', ''])(
  'a branch %j is refused before anything is written',
  async (branch) => {
    const place = await newPlace()
    const into = place.at('clone')
    const options = { git: place.git, mirror: place.at('none'), commit: place.head, into, author }
    await expect(checkout({ ...options, branch })).rejects.toMatchObject({ code: 'checkout_failed' })
    await expect(stat(into)).rejects.toMatchObject({ code: 'ENOENT' })
  },
)
