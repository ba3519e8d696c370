import { expect, test } from 'vitest'
import { newPlace, newRepo, plainGit, type Place } from './person.fixture.ts'
import { parseListed, readRemote } from './remote-refs.ts'

async function both(place: Place, repo = place.repo) {
  const advertised = await readRemote(place.git, { kind: 'local', path: repo }, { cwd: place.root })
  return { advertised, listed: parseListed(await plainGit(place.root, 'ls-remote', '--symref', repo)) }
}

test('a repository on this machine says the same about itself as git ls-remote says about it', async () => {
  const place = await newPlace()
  await plainGit(place.repo, 'branch', 'ä/ö.ü')
  await plainGit(place.repo, 'tag', 'light')
  await plainGit(place.repo, 'tag', '--annotate', '--message', 'heavy', 'heavy')
  await plainGit(place.repo, 'update-ref', 'refs/pull/1/head', 'HEAD')
  const { advertised, listed } = await both(place)
  expect(advertised).toEqual(listed)
  expect(advertised.head).toBe('main')
  expect([...advertised.branches]).toEqual([
    ['main', place.head],
    ['ä/ö.ü', place.head],
  ])
  expect([...advertised.tags.keys()]).toEqual(['heavy', 'light'])
  expect(advertised.tags.get('heavy')).not.toBe(place.head)
})

test('a HEAD that names no branch, and a repository without a commit, are told as such', async () => {
  const place = await newPlace()
  await plainGit(place.repo, 'checkout', '--quiet', '--detach')
  const detached = await both(place)
  expect(detached.advertised).toEqual(detached.listed)
  expect(detached.advertised.head).toBeNull()
  await newRepo(place.at('empty'), {})
  const empty = await both(place, place.at('empty'))
  expect(empty.advertised).toEqual({ head: null, branches: new Map(), tags: new Map() })
  expect(empty.listed).toEqual(empty.advertised)
})
