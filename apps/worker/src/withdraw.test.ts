import type { Assignment } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { commitAll, newPlace, newResult, plainGit, type Place } from './git/person.fixture.ts'
import { takeIn } from './git/take-in.ts'
import { createLog } from './log.ts'
import type { RunTools } from './run-tools.ts'
import { withdraw } from './withdraw.ts'

const branch = 'muster/shell/fix'
const log = createLog('error')

async function published(place: Place, runId: string) {
  const result = await newResult(place, runId, (clone) => commitAll(clone, { [`${runId}.txt`]: 'W' }))
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  await takeIn({ git: place.git, mirror, runId, ...result })
  const expected = await place.publisher.readBranch({ url: place.repo }, branch)
  const options = { mirror, branch, commit: result.commit, expected }
  expect(await place.publisher.publish({ url: place.repo }, options)).toBe('published')
  return result.commit
}

function run(place: Place, runId: string): [RunTools, Assignment] {
  const tools = { git: place.git, mirrors: place.mirrors, publisher: place.publisher }
  const assignment = { repo: { id: 'r', name: 'demo', url: place.repo }, runId, branch }
  return [tools as RunTools, assignment as Assignment]
}

test('the branch of a run that did not count is gone, and nothing else of the repository', async () => {
  const place = await newPlace()
  const before = await plainGit(place.repo, 'for-each-ref')
  await published(place, 'lost')
  await withdraw(...run(place, 'lost'), log)
  expect(await plainGit(place.repo, 'for-each-ref')).toBe(before)
})

test('a newer run’s branch stays when an older run is taken back', async () => {
  const place = await newPlace()
  await published(place, 'older')
  const newer = await published(place, 'newer')
  await withdraw(...run(place, 'older'), log)
  expect(await plainGit(place.repo, 'rev-parse', branch)).toBe(newer)
})

test('a run that made no commit touches nothing', async () => {
  const place = await newPlace()
  const newer = await published(place, 'newer')
  await withdraw(...run(place, 'never-came-so-far'), log)
  expect(await plainGit(place.repo, 'rev-parse', branch)).toBe(newer)
})
