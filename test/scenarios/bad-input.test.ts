import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  environment,
  freePort,
  newDirectory,
  ownerToken,
  runMuster,
  startStack,
  type Stack,
} from './stack.ts'

let stack: Stack
let repo: GitRepo
let place: string
beforeAll(async () => {
  stack = await startStack()
  repo = await gitRepo({ 'a.txt': 'A\n' })
  place = await mkdtemp(join(tmpdir(), 'muster-scenario-input-'))
  await stack.muster('repo', 'add', 'demo', repo.path)
  await writeFile(join(place, 'file'), 'no repository\n')
  await mkdir(join(place, 'folder'))
  await mkdir(join(place, 'empty'))
  await repo.git('init', '--quiet', join(place, 'empty'))
})
afterAll(async () => {
  await stack.stop()
  await rm(place, { recursive: true, force: true })
  await repo.remove()
})

const counted = () =>
  stack.sql(`select (select count(*) from muster.tasks) as tasks, (select count(*) from muster.repos) as repos,
    (select count(*) from muster.task_queue) as waiting, (select count(*) from muster.tokens) as tokens,
    (select count(*) from muster.events where kind not in ('worker.connected', 'worker.walls_changed')
       -- What the hub finds out about models by itself.
       and kind not like 'endpoint.%') as events`)
let before: unknown
beforeEach(async () => void (before = await counted()))
afterEach(async () => expect(await counted(), 'something was created').toEqual(before))

/** What a person and a program read of a refusal. */
async function refusalOf(...args: string[]) {
  const [forProgram, forPerson] = await Promise.all([stack.muster(...args, '--json'), stack.muster(...args)])
  expect(forProgram.stdout).toBe('')
  const said = JSON.parse(forProgram.stderr) as { code: string; message: string; hint: string; docs: string }
  expect(forPerson.stdout).toBe('')
  expect(forPerson.code).toBe(forProgram.code)
  expect(forPerson.stderr).not.toMatch(/\bat .*\.ts:\d+|node:internal/)
  // The cause and the remedy, in words and in the same words.
  expect(said.message).not.toBe('')
  expect(said.hint).not.toBe('')
  expect(forPerson.stderr).toContain('muster: ')
  expect(forPerson.stderr.replaceAll(/\s+/g, ' ')).toContain(said.hint.replaceAll(/\s+/g, ' '))
  return { exit: forProgram.code, ...said }
}

const task = (...more: string[]) => [
  'task',
  'add',
  '--repo',
  'demo',
  '--title',
  'T',
  '--run',
  'true',
  ...more,
]

describe('a command that cannot be right', () => {
  it.each([
    [
      'names an unknown repository',
      ['task', 'add', '--repo', 'nope', '--title', 'T', '--run', 'x'],
      3,
      'repo_not_found',
    ],
    [
      'has a title of 100 KB',
      ['task', 'add', '--repo', 'demo', '--title', 'x'.repeat(100_000), '--run', 'x'],
      2,
      'usage',
    ],
    [
      'has a title of two lines',
      ['task', 'add', '--repo', 'demo', '--title', 'a\nb', '--run', 'x'],
      2,
      'usage',
    ],
    ['has no title', ['task', 'add', '--repo', 'demo', '--run', 'x'], 2, 'usage'],
    ['names an unknown kind of check', task('--check', 'looks_good:yes'), 2, 'usage'],
    ['leaves out what to check', task('--check', 'file_exists:'), 2, 'usage'],
    ['names an unknown lane', task('--lane', 'warp'), 2, 'usage'],
    ['has a deadline of no known unit', task('--timeout', '2 fortnights'), 2, 'usage'],
    ['has a deadline of nothing', task('--timeout', '0s'), 2, 'usage'],
    ['has an unknown option', task('--please'), 2, 'usage'],
    ['wants a wall that nobody offers', task('--wall', 'microvm'), 2, 'wall_not_supported'],
    ['wants a network', task('--network', 'full'), 2, 'wall_not_supported'],
    [
      'has words for a model only',
      ['task', 'add', '--repo', 'demo', '--title', 'T', '--prompt', 'do it', '--run', 'true'],
      2,
      'nothing_to_do',
    ],
    ['waits for a task that is not there', task('--after', '00000000'), 3, 'not_found'],
    ['asks for a task that is not there', ['task', 'show', '00000000'], 3, 'not_found'],
    ['asks for a task by a word', ['task', 'show', '../../etc'], 2, 'invalid_request'],
    ['names a repository like a path', ['repo', 'add', '../x', '.'], 2, 'invalid_request'],
    ['adds what is not there', ['repo', 'add', 'x', '/nowhere/at/all'], 3, 'repo_not_found'],
    ['runs a program as a repository', ['repo', 'add', 'x', 'ext::sh -c id'], 3, 'repo_not_found'],
    ['is no command', ['frobnicate'], 2, 'usage'],
  ] as [string, string[], number, string][])(
    'because it %s is refused with its cause and remedy, and nothing is created',
    async (_, args, exit, code) => {
      expect(await refusalOf(...args)).toMatchObject({ exit, code })
    },
  )

  it.each([
    ['a file', 'file', 1, 'repo_not_git'],
    ['a folder without a repository', 'folder', 1, 'repo_not_git'],
    ['a repository without a commit', 'empty', 1, 'repo_empty'],
  ])('because it adds %s is refused, and nothing is created', async (_, name, exit, code) => {
    expect(await refusalOf('repo', 'add', 'x', join(place, name))).toMatchObject({ exit, code })
  })

  it('because the name is taken is a conflict', async () => {
    expect(await refusalOf('repo', 'add', 'demo', repo.path)).toMatchObject({
      exit: 5,
      code: 'repo_name_taken',
    })
  })

  it('because its title has 1 MB, which no command line can carry, is refused over HTTP as well', async () => {
    const body = { repo: 'demo', title: 'x'.repeat(1_000_000), run: 'true' }
    const tooLong = await stack.api('/tasks', { method: 'POST', body })
    expect(tooLong).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    const tooLarge = await stack.api('/tasks', {
      method: 'POST',
      body: { ...body, title: 'x'.repeat(1_100_000) },
    })
    expect(tooLarge).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
  })
})

describe('a command without the right to ask', () => {
  it('because its token is wrong ends with 4, and the token is in no message', async () => {
    const wrong = 'muster_person_wrong-but-long-enough-to-be-one'
    const listed = await stack.musterWith({ MUSTER_TOKEN: wrong }, 'task', 'list', '--json')
    expect([listed.code, listed.stdout]).toEqual([4, ''])
    expect(JSON.parse(listed.stderr)).toMatchObject({ code: 'unauthenticated' })
    expect(listed.stderr).not.toContain(wrong)
  })

  it('because it has no token at all ends with 4 and says how to get one', async () => {
    const elsewhere = await newDirectory('muster-scenario-elsewhere-')
    const listed = await runMuster(
      ['task', 'list', '--json'],
      environment(elsewhere, { MUSTER_HUB: stack.url }),
    )
    expect(listed.code).toBe(4)
    expect(JSON.parse(listed.stderr)).toMatchObject({ code: 'no_token' })
    await rm(elsewhere, { recursive: true })
  })

  it('because nothing runs ends with 69 within 15 s, and nothing is started for it', async () => {
    const elsewhere = await newDirectory('muster-scenario-elsewhere-')
    const began = performance.now()
    const none = await runMuster(['task', 'list', '--json'], environment(elsewhere))
    expect(none.code).toBe(69)
    expect(JSON.parse(none.stderr)).toMatchObject({ code: 'not_running' })
    const dead = {
      MUSTER_HUB: `http://127.0.0.1:${await freePort()}`,
      MUSTER_TOKEN: 'muster_person_xxxxxxxxxxxxxxxx',
    }
    const away = await runMuster(['task', 'list', '--json'], environment(elsewhere, dead))
    expect(away.code).toBe(69)
    expect(JSON.parse(away.stderr)).toMatchObject({ code: 'hub_unreachable' })
    expect(performance.now() - began).toBeLessThan(15_000)
    await rm(elsewhere, { recursive: true })
  })

  it.each([
    ['without a token', {}, 401],
    ['from a page of another origin', { origin: 'https://evil.example', cookie: 'muster_session=x' }, 403],
  ])('over HTTP %s is refused', async (_, headers, status) => {
    const answer = await fetch(`${stack.url}/api/v1/tasks`, { headers: headers as Record<string, string> })
    expect(answer.status).toBe(status)
  })

  it('over HTTP by another name of this machine, as a rebound DNS name would be, is refused', async () => {
    const { request } = await import('node:http')
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: 'evil.example', authorization: `Bearer ${token}` }
      request({ host: '127.0.0.1', port: stack.port, path: '/api/v1/tasks', headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .once('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })
  let token: string
  beforeAll(async () => void (token = await ownerToken(stack.data)))
})
