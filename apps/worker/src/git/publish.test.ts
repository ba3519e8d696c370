import { execFileSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, newPlace, newResult, plainGit, write, type Place } from './person.fixture.ts'
import { takeIn } from './take-in.ts'

const branch = 'muster/bot/fix'

async function ready(place: Place, name = 'work') {
  const result = await newResult(place, name, (clone) => commitAll(clone, { [`${name}.txt`]: 'W' }))
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  await takeIn({ git: place.git, mirror, runId: name, ...result })
  return { mirror, commit: result.commit, branch }
}

async function refs(repo: string): Promise<string> {
  return plainGit(repo, 'for-each-ref', '--format=%(refname) %(objectname)')
}

test('a result becomes one new branch, and nothing else in the repository changes', async () => {
  const place = await newPlace()
  const work = await ready(place)
  await plainGit(work.mirror, 'tag', 'ours', work.commit)
  const before = await refs(place.repo)
  expect(await place.publisher.readBranch({ url: place.repo }, branch)).toBeNull()
  expect(await place.publisher.publish({ url: place.repo }, { ...work, expected: null })).toBe('published')
  expect(await place.publisher.readBranch({ url: place.repo }, branch)).toBe(work.commit)
  expect((await refs(place.repo)).split('\n')).toEqual(
    [...before.split('\n'), `refs/heads/${branch} ${work.commit}`].toSorted(),
  )
  expect(await plainGit(place.repo, 'status', '--porcelain')).toBe('')
  expect(await plainGit(place.repo, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main')
})

test('publishing twice is published twice, although the branch is no longer absent', async () => {
  const place = await newPlace()
  const work = await ready(place)
  const publish = () => place.publisher.publish({ url: place.repo }, { ...work, expected: null })
  expect([await publish(), await publish()]).toEqual(['published', 'published'])
})

test('a branch that somebody moved is left alone, and the answer says so', async () => {
  const place = await newPlace()
  const work = await ready(place)
  await plainGit(place.repo, 'branch', branch, 'main')
  expect(await place.publisher.publish({ url: place.repo }, { ...work, expected: null })).toBe('moved')
  expect(await place.publisher.publish({ url: place.repo }, { ...work, expected: work.commit })).toBe('moved')
  expect(await plainGit(place.repo, 'rev-parse', branch)).toBe(place.head)
})

test('a retry replaces the earlier result when the branch still has it, history or not', async () => {
  const place = await newPlace()
  const [first, second] = [await ready(place, 'one'), await ready(place, 'two')]
  await place.publisher.publish({ url: place.repo }, { ...first, expected: null })
  const again = await place.publisher.publish({ url: place.repo }, { ...second, expected: first.commit })
  expect(again).toBe('published')
  expect(await plainGit(place.repo, 'rev-parse', branch)).toBe(second.commit)
})

test('of two publishers that expect the same, one wins and the other is told that the branch moved', async () => {
  const place = await newPlace()
  const works = [await ready(place, 'one'), await ready(place, 'two'), await ready(place, 'three')]
  const answers = await Promise.all(
    works.map((work) => place.publisher.publish({ url: place.repo }, { ...work, expected: null })),
  )
  expect(answers.toSorted()).toEqual(['moved', 'moved', 'published'])
})

test('the branch a person has checked out is refused, and their files stay', async () => {
  const place = await newPlace()
  const work = await ready(place)
  await plainGit(place.repo, 'config', 'receive.denyCurrentBranch', 'updateInstead')
  await plainGit(place.repo, 'checkout', '--quiet', '-b', branch)
  const pushed = place.publisher.publish({ url: place.repo }, { ...work, expected: place.head })
  await expect(pushed).rejects.toMatchObject({ code: 'branch_checked_out' })
  expect(await plainGit(place.repo, 'rev-parse', 'HEAD')).toBe(place.head)
})

test.each(['main', 'refs/heads/main', 'muster/x', 'muster/a/b/c', 'feature/x', '-f'])(
  '%s is never written',
  async (name) => {
    const place = await newPlace()
    const push = place.publisher.publish(
      { url: place.repo },
      { mirror: place.root, branch: name, commit: place.head, expected: null },
    )
    await expect(push).rejects.toMatchObject({ code: 'branch_refused' })
  },
)

test('a repository that cannot take the branch says why', async () => {
  const place = await newPlace()
  const work = await ready(place)
  await plainGit(place.repo, 'branch', 'muster/bot')
  const pushed = place.publisher.publish({ url: place.repo }, { ...work, expected: null })
  await expect(pushed).rejects.toMatchObject({
    code: 'publish_refused',
    hint: expect.stringContaining('folders') as string,
  })
})

test('no hook of the person runs, although a plain push runs them', async () => {
  const place = await newPlace()
  const work = await ready(place)
  const canary = place.at('canary')
  const hooks = [
    'pre-receive',
    'update',
    'post-receive',
    'post-update',
    'reference-transaction',
    'proc-receive',
  ]
  for (const hook of hooks) {
    await write(place.repo, { [`.git/hooks/${hook}`]: `#!/bin/sh\necho ${hook} >> ${canary}\n` })
    await chmod(join(place.repo, '.git/hooks', hook), 0o755)
  }
  await place.publisher.publish({ url: place.repo }, { ...work, expected: null })
  expect(() => execFileSync('cat', [canary], { stdio: 'pipe' })).toThrow('No such file')
  await plainGit(work.mirror, 'push', '--quiet', place.repo, `${work.commit}:refs/heads/control`)
  expect(execFileSync('cat', [canary]).toString()).toContain('post-receive')
})

const asRoot = test.runIf(process.getuid?.() === 0)

asRoot('as root, a repository of another user gets no file that root owns', async () => {
  const place = await newPlace()
  const work = await ready(place)
  execFileSync('chown', ['-R', '4242:4242', place.repo])
  const publish = await place.publisher.publish({ url: place.repo }, { ...work, expected: null })
  expect(publish).toBe('published')
  expect(execFileSync('find', [place.repo, '!', '-user', '4242']).toString()).toBe('')
})
