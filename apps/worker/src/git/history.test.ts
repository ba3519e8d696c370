import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from './checkout.ts'
import type { Git } from './git.ts'
import { putHistory } from './history.ts'
import { commitAll, newPlace, newResult, plainGit, plainGitWith, type Place } from './person.fixture.ts'
import { takeIn } from './take-in.ts'

const author = { name: 'bot', email: 'agent@muster.invalid' }
const branch = 'muster/bot/x'

async function packing(place: Place) {
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  let packed = 0
  const git: Git = {
    ...place.git,
    run: (args, options) => {
      packed += Number(args[0] === 'pack-objects')
      return place.git.run(args, options)
    },
  }
  const put = async (commit: string, name: string) => {
    const into = place.at(name)
    await mkdir(into)
    await putHistory(git, { mirror, commit }, into)
    return (await readdir(into)).map((file) => file.replace(/^.*\./, '')).toSorted()
  }
  return { mirror, git, put, packed: () => packed }
}

test('a history is packed once for any number of checkouts, and anew for another commit', async () => {
  const place = await newPlace()
  const next = await commitAll(place.repo, { 'b.txt': 'B' })
  const { mirror, put, packed } = await packing(place)
  const files = await put(place.head, 'one')
  expect(files).toEqual(expect.arrayContaining(['idx', 'pack']))
  expect(await put(place.head, 'two')).toEqual(files)
  expect(packed()).toBe(1)
  await put(next, 'three')
  expect(packed()).toBe(2)
  expect(await readdir(join(mirror, 'history'))).toEqual([next])
})

test('two that need the same history at the same time both get it', async () => {
  const place = await newPlace()
  const { mirror, put } = await packing(place)
  const [one, two] = await Promise.all([put(place.head, 'one'), put(place.head, 'two')])
  expect(one).toEqual(two)
  expect(await readdir(join(mirror, 'history'))).toEqual([place.head])
})

test('a kept history that lost its files is packed anew', async () => {
  const place = await newPlace()
  const { mirror, put, packed } = await packing(place)
  const files = await put(place.head, 'one')
  const kept = join(mirror, 'history', place.head)
  for (const name of await readdir(kept)) await rm(join(kept, name))
  expect(await put(place.head, 'two')).toEqual(files)
  expect(packed()).toBe(2)
})

test('the checkout of a result packs nothing, holds the whole history, and nothing of another result', async () => {
  const place = await newPlace({ 'a.txt': 'A\n'.repeat(100) })
  const { mirror, git, packed } = await packing(place)
  const take = async (name: string, files: Record<string, string>) => {
    const result = await newResult(place, name, (clone) => commitAll(clone, files))
    return { ...result, ...(await takeIn({ git, mirror, runId: name, ...result })) }
  }
  const other = await take('other', { 'secret.txt': 'S' })
  // A change of a file, so that the result's pack has a difference to an object of the base.
  const mine = await take('mine', { 'a.txt': `${'A\n'.repeat(100)}more\n` })
  const proof = async (name: string, { base, commit, packs }: typeof mine) => {
    const into = place.at(name)
    await checkout({ git, mirror, commit, result: { base, packs }, branch, into, author })
    return into
  }
  await proof('first', other)
  const before = packed()
  const into = await proof('proof', mine)
  expect(packed()).toBe(before)
  expect(await plainGit(into, 'log', '--format=%H')).toBe(`${mine.commit}\n${place.head}`)
  expect(await plainGit(into, 'status', '--porcelain')).toBe('')
  expect(await plainGit(into, 'fsck', '--strict', '--full')).toBe('')
  await expect(plainGit(into, 'cat-file', '-e', other.commit)).rejects.toThrow()
})

test('a result that leaves out what only the mirror has besides its base cannot be checked out', async () => {
  const place = await newPlace()
  await plainGit(place.repo, 'checkout', '--quiet', '-b', 'other')
  await commitAll(place.repo, { 'secret.txt': 'S' })
  const tree = await plainGit(place.repo, 'rev-parse', 'HEAD^{tree}')
  await plainGit(place.repo, 'checkout', '--quiet', 'main')
  const { mirror, git } = await packing(place)
  // Whoever knows the name of an object could take it for a file of its own without having it.
  const commit = await plainGit(place.repo, 'commit-tree', tree, '-p', place.head, '-m', 'x')
  const pack = plainGitWith(place.repo, `${commit}\n`, 'pack-objects', '--quiet', place.at('thin'))
  const bundle = place.at('thin.bundle')
  const header = Buffer.from(`# v2 git bundle\n-${place.head} \n${commit} HEAD\n\n`)
  await writeFile(bundle, Buffer.concat([header, await readFile(place.at(`thin-${pack}.pack`))]))
  const { packs } = await takeIn({ git, mirror, runId: 'r1', bundle, base: place.head, commit })
  const into = place.at('proof')
  const proof = checkout({ git, mirror, commit, result: { base: place.head, packs }, branch, into, author })
  await expect(proof).rejects.toMatchObject({ code: 'checkout_failed' })
  expect(await readdir(place.root)).not.toContain('proof')
})
