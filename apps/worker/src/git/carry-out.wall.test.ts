import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import { defaultLimits } from '@muster/sandbox/sandbox'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { commitInside } from './carry-out.ts'
import { checkout } from './checkout.ts'
import { newPlace, plainGit, type Place } from './person.fixture.ts'
import { takeIn } from './take-in.ts'

const author = { name: 'bot', email: 'agent@muster.invalid' }

async function started(place: Place) {
  const mirror = await place.mirrors.update({ id: 'r', url: place.repo })
  const workspace = place.at('workspace')
  const branch = 'muster/bot/x'
  await checkout({
    git: place.git,
    mirror: mirror.path,
    commit: mirror.base,
    branch,
    into: workspace,
    author,
  })
  await mkdir(place.at('state'), { mode: 0o755 })
  const driver = createNamespaceDriver({ stateDir: place.at('state'), graceMs: 500 })
  const id = `carry-out-${process.pid}-${Math.floor(performance.now())}`
  const wall = await driver.create({
    id,
    workspace,
    limits: defaultLimits,
    network: { kind: 'none' },
    env: {},
  })
  onTestFinished(() => wall.destroy())
  const sh = async (command: string) => {
    const done = await wall.exec(['/bin/sh', '-ec', command], { timeoutMs: 20_000, maxOutputBytes: 65_536 })
    if (done.code !== 0) throw new Error(`${command}: ${done.stderr}`)
  }
  const carry = (changes = {}) => {
    const ids = { taskId: 'task-1', runId: 'run-1' }
    return commitInside(wall, {
      message: 'Do it',
      author,
      base: mirror.base,
      ...ids,
      into: place.at('out.bundle'),
      ...changes,
    })
  }
  return { mirror, wall, sh, carry }
}

test('what a run left is one commit with the agent’s name and the trailers, and arrives in the mirror', async () => {
  const place = await newPlace({ 'a.txt': 'A\n', 'gone.txt': 'G\n', '.gitignore': 'ignored\n' })
  const { mirror, sh, carry } = await started(place)
  await sh('echo changed > a.txt; rm gone.txt; mkdir -p d; echo n > "d/new file"; echo x > ignored')
  const out = await carry()
  expect(out).toMatchObject({ bundle: place.at('out.bundle') })
  const options = { git: place.git, mirror: mirror.path, bundle: out.bundle, runId: 'run-1' }
  const taken = await takeIn({ ...options, commit: out.commit, base: mirror.base })
  expect(taken.changed).toEqual({ files: 3, insertions: 2, deletions: 2 })
  expect(await plainGit(mirror.path, 'log', '-1', '--format=%an <%ae>%n%B', taken.ref)).toBe(
    'bot <agent@muster.invalid>\nDo it\n\nMuster-Task: task-1\nMuster-Run: run-1',
  )
})

test('commits of the agent’s own are kept, on whatever branch it left HEAD', async () => {
  const place = await newPlace()
  const { mirror, sh, carry } = await started(place)
  await sh(
    'git checkout -q -b elsewhere; echo b > b; git add b; git commit -qm mine; git checkout -q --detach; echo c > c',
  )
  const out = await carry()
  const options = { git: place.git, mirror: mirror.path, bundle: out.bundle, runId: 'run-1' }
  const { ref } = await takeIn({ ...options, commit: out.commit, base: mirror.base })
  expect(await plainGit(mirror.path, 'log', '--format=%s', `${mirror.base}..${ref}`)).toBe('Do it\nmine')
})

test('a run that left everything as it was has no bundle', async () => {
  const place = await newPlace()
  const { mirror, sh, carry } = await started(place)
  await sh('touch a.txt; chmod 600 a.txt')
  expect(await carry()).toEqual({ commit: mirror.base, bundle: null, bytes: 0 })
})

test('rewritten history is refused', async () => {
  const place = await newPlace()
  const { sh, carry } = await started(place)
  await sh('echo x > x; git add x; git commit -q --amend -m amended')
  await expect(carry()).rejects.toMatchObject({ code: 'history_rewritten' })
})

test.each([
  ['removed', 'rm -rf .git'],
  ['without objects', 'rm -rf .git/objects'],
  ['with a broken configuration', 'echo "[[" > .git/config'],
  ['without a HEAD', 'echo nonsense > .git/HEAD'],
])('a repository %s is a clear failure and leaves no file', async (_, wreck) => {
  const place = await newPlace()
  const { sh, carry } = await started(place)
  await sh(`echo b > b; ${wreck}`)
  await expect(carry()).rejects.toMatchObject({ code: 'carry_out_failed', message: /could not be taken out/ })
  expect(existsSync(place.at('out.bundle'))).toBe(false)
})

test('a git that was killed in the middle does not stop the result', async () => {
  const place = await newPlace()
  const { sh, carry } = await started(place)
  await sh('echo b > b; touch .git/index.lock .git/HEAD.lock')
  expect((await carry()).bundle).not.toBeNull()
})

test('hooks, filters and signing that the agent configured neither stop the result nor run outside', async () => {
  const place = await newPlace()
  const { mirror, sh, carry } = await started(place)
  const canary = place.at('canary')
  await sh(`
    mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch ${canary} /workspace/ran\\nexit 1\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
    git config core.hooksPath .git/hooks; git config commit.gpgSign true; git config gpg.program /bin/false
    git config core.fsmonitor "touch ${canary}"; git config filter.e.clean "touch ${canary}; cat"
    echo '* filter=e' > .gitattributes; echo b > b`)
  const out = await carry()
  const options = { git: place.git, mirror: mirror.path, bundle: out.bundle, runId: 'run-1' }
  const { trees } = await takeIn({ ...options, commit: out.commit, base: mirror.base })
  expect(trees.commit.map(({ path }) => path)).toEqual(['.gitattributes', 'a.txt', 'b'])
  expect(existsSync(canary)).toBe(false)
})

test('a result of several pieces arrives whole', async () => {
  const place = await newPlace()
  const { mirror, sh, carry } = await started(place)
  await sh('head -c 20000000 /dev/urandom > big.bin')
  const out = await carry()
  expect(out.bytes).toBeGreaterThan(20_000_000)
  expect((await readFile(place.at('out.bundle'))).length).toBe(out.bytes)
  const options = { git: place.git, mirror: mirror.path, bundle: out.bundle, runId: 'run-1' }
  expect((await takeIn({ ...options, commit: out.commit, base: mirror.base })).changed.files).toBe(1)
})
