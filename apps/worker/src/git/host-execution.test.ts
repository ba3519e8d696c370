import { existsSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from './checkout.ts'
import { commitAll, newPlace, newResult, plainGit, write, type Place } from './person.fixture.ts'
import { takeIn } from './take-in.ts'

/**
 * Each trap is planted in a repository an agent owns; `spring` shows that plain git there falls into it. Then the same
 * repository's result goes the whole way through this machine: in, diffed, checked out for the proof, published.
 */
type Trap = {
  name: string
  config?: string[][]
  files?: Record<string, string>
  hook?: string
  spring: string[]
}

const traps: Trap[] = [
  { name: 'a pre-commit hook', hook: 'pre-commit', spring: ['commit', '--allow-empty', '-m', 'x'] },
  { name: 'a post-checkout hook', hook: 'post-checkout', spring: ['checkout', '--quiet', '--detach'] },
  { name: 'core.fsmonitor', config: [['core.fsmonitor', 'TRAP']], spring: ['status'] },
  {
    name: 'filter.clean',
    config: [['filter.evil.clean', 'TRAP; cat']],
    files: { '.gitattributes': '* filter=evil\n' },
    spring: ['add', '--renormalize', '.'],
  },
  {
    name: 'filter.smudge',
    config: [['filter.evil.smudge', 'TRAP; cat']],
    files: { '.gitattributes': '* filter=evil\n' },
    spring: ['cat-file', '--filters', 'HEAD:a.txt'],
  },
  { name: 'diff.external', config: [['diff.external', 'TRAP']], spring: ['diff', 'HEAD~1', 'HEAD'] },
  {
    name: 'a textconv attribute',
    config: [['diff.evil.textconv', 'TRAP']],
    files: { '.gitattributes': '* diff=evil\n' },
    spring: ['diff', 'HEAD~1', 'HEAD'],
  },
  { name: 'include.path', config: [['include.path', '../planted.conf']], spring: ['diff', 'HEAD~1', 'HEAD'] },
  {
    name: 'gpg.program',
    config: [
      ['gpg.program', 'TRAP'],
      ['commit.gpgSign', 'true'],
    ],
    spring: ['commit', '--allow-empty', '-m', 'x'],
  },
  {
    name: 'a submodule with an ext address',
    config: [
      ['protocol.ext.allow', 'always'],
      ['submodule.sub.url', 'ext::TRAP'],
      ['submodule.sub.active', 'true'],
    ],
    spring: ['ls-remote', 'ext::TRAP'],
  },
  {
    name: 'an upload-pack program',
    config: [['remote.origin.uploadpack', 'TRAP; git-upload-pack']],
    spring: ['fetch', 'origin'],
  },
]

async function plant(place: Place, clone: string, trap: Trap): Promise<string> {
  const canary = place.at('canary')
  const script = place.at('trap.sh')
  await write(place.root, { 'trap.sh': `#!/bin/sh\ntouch ${canary}\nexit 0\n` })
  await chmod(script, 0o755)
  for (const [key = '', value = ''] of trap.config ?? []) {
    await plainGit(clone, 'config', key, value.replace('TRAP', script))
  }
  if (trap.hook !== undefined) {
    await write(clone, { [`.git/hooks/${trap.hook}`]: `#!/bin/sh\n${script}\n` })
    await chmod(join(clone, '.git/hooks', trap.hook), 0o755)
  }
  await write(clone, { 'planted.conf': `[diff]\n\texternal = ${script}\n` })
  return canary
}

test.each(traps)('nothing on this machine falls into $name, though plain git does', async (trap) => {
  const place = await newPlace()
  const result = await newResult(place, 'agent', (clone) =>
    commitAll(clone, { ...trap.files, 'a.txt': 'changed\n' }),
  )
  const canary = await plant(place, result.clone, trap)

  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  const branch = 'muster/bot/trap'
  const taken = await takeIn({ git: place.git, mirror, runId: 'r1', ...result })
  expect(taken.changed.files).toBeGreaterThan(0)
  const author = { name: 'bot', email: 'agent@muster.invalid' }
  await checkout({ git: place.git, mirror, commit: result.commit, branch, into: place.at('proof'), author })
  await place.publisher.publish(
    { url: place.repo },
    { mirror, branch, commit: result.commit, expected: null },
  )
  expect(existsSync(canary)).toBe(false)

  const spring = trap.spring.map((word) => word.replace('TRAP', place.at('trap.sh')))
  await plainGit(result.clone, ...spring).catch(() => undefined)
  expect(existsSync(canary), 'the trap itself must work').toBe(true)
})

test('a person’s repository with traps is mirrored and published to without springing one', async () => {
  const place = await newPlace()
  const canary = await plant(place, place.repo, {
    name: 'all',
    config: [
      ['core.fsmonitor', 'TRAP'],
      ['uploadpack.packObjectsHook', 'TRAP'],
      ['core.alternateRefsCommand', 'TRAP'],
      ['core.sshCommand', 'TRAP'],
      ['include.path', '../planted.conf'],
    ],
    hook: 'post-receive',
    spring: [],
  })
  await rm(canary, { force: true })
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  const tree = await plainGit(mirror, 'rev-parse', `${place.head}^{tree}`)
  const commit = await plainGit(mirror, 'commit-tree', tree, '-p', place.head, '-m', 'x')
  const options = { mirror, branch: 'muster/bot/x', commit, expected: null }
  expect(await place.publisher.publish({ url: place.repo }, options)).toBe('published')
  expect(existsSync(canary)).toBe(false)
})
