import { gitRepo } from '@muster/testkit/git-repos'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { countRows } from '../../test-support/database.ts'
import { addRepo, startHub, type TestHub } from '../../test-support/hub.ts'
import { refusal, type Sent } from '../../test-support/http.ts'

const task = { repo: 'demo', title: 'A task', run: 'true' }
const post = (body: unknown, headers: Record<string, string> = {}): Sent => ({
  method: 'POST',
  path: '/api/v1/tasks',
  body,
  headers,
})
const postTask = (change: Record<string, unknown>) => post({ ...task, ...change })
const get = (path: string): Sent => ({ path: `/api/v1${path}` })

const cases: [string, Sent, number, string][] = [
  ['a repository nobody registered', postTask({ repo: 'unknown' }), 422, 'repo_not_found'],
  ['a repository name that is a path', postTask({ repo: '../demo' }), 400, 'invalid_request'],
  ['a title of 257 characters', postTask({ title: 'x'.repeat(257) }), 400, 'invalid_request'],
  ['a title of nearly 1 MB', postTask({ title: 'x'.repeat(1_000_000) }), 400, 'invalid_request'],
  ['a title of spaces', postTask({ title: '   ' }), 400, 'invalid_request'],
  ['no title', postTask({ title: undefined }), 400, 'invalid_request'],
  ['a title that clears a terminal', postTask({ title: 'a\u001b[2J' }), 400, 'invalid_request'],
  ['a title of two lines', postTask({ title: 'a\nb' }), 400, 'invalid_request'],
  ['a title with NUL', postTask({ title: 'a\0b' }), 400, 'invalid_request'],
  ['a command with NUL', postTask({ run: 'echo \0' }), 400, 'invalid_request'],
  ['a title with half a character', postTask({ title: 'a\ud800b' }), 400, 'invalid_request'],
  ['a command with half a character', postTask({ run: 'echo \ud800' }), 400, 'invalid_request'],
  ['an empty command', postTask({ run: '' }), 400, 'invalid_request'],
  ['neither command nor prompt', post({ repo: 'demo', title: 'x' }), 422, 'nothing_to_do'],
  [
    'both command and prompt',
    post({ repo: 'demo', title: 'x', run: 'true', prompt: 'do' }),
    422,
    'nothing_to_do',
  ],
  [
    'a practice model without a script',
    post({ repo: 'demo', title: 'x', prompt: 'do', model: 'practice' }),
    422,
    'practice_script_invalid',
  ],
  [
    'a practice script that is no JSON',
    post({ repo: 'demo', title: 'x', prompt: 'do', practice: 'turns: []' }),
    422,
    'practice_script_invalid',
  ],
  [
    'a practice script with an unknown field',
    post({ repo: 'demo', title: 'x', prompt: 'do', practice: '{"turns":[{"says":"x"}]}' }),
    422,
    'practice_script_invalid',
  ],
  [
    'a practice script for another model',
    post({ repo: 'demo', title: 'x', prompt: 'do', model: 'qwen3:8b', practice: '{}' }),
    422,
    'practice_script_invalid',
  ],
  [
    'a prompt of 5 MB',
    post({ repo: 'demo', title: 'x', prompt: 'x'.repeat(5_000_000) }),
    413,
    'body_too_large',
  ],
  ['a wall nobody has', postTask({ wall: 'microvm' }), 422, 'wall_not_supported'],
  ['a network nobody has', postTask({ network: 'full' }), 422, 'wall_not_supported'],
  ['an unknown network', postTask({ network: 'some' }), 400, 'invalid_request'],
  ['an unknown check', postTask({ checks: [{ kind: 'looks_good', target: 'x' }] }), 400, 'invalid_request'],
  ['a check without target', postTask({ checks: [{ kind: 'file_exists' }] }), 400, 'invalid_request'],
  [
    '65 checks',
    postTask({ checks: Array.from({ length: 65 }, () => ({ kind: 'git_clean' })) }),
    400,
    'invalid_request',
  ],
  ['an unknown lane', postTask({ lane: 'now' }), 400, 'invalid_request'],
  ['an unknown field', postTask({ state: 'done' }), 400, 'invalid_request'],
  ['a number as a title', postTask({ title: 7 }), 400, 'invalid_request'],
  ['an object as a title', postTask({ title: { toString: 'x' } }), 400, 'invalid_request'],
  ['a list as a body', post([task]), 400, 'invalid_request'],
  ['a string as a body', post('"task"'), 400, 'invalid_request'],
  ['null as a body', post('null'), 400, 'invalid_request'],
  ['a timeout of 0', postTask({ timeoutMs: 0 }), 400, 'invalid_request'],
  ['a negative timeout', postTask({ timeoutMs: -1 }), 400, 'invalid_request'],
  ['a huge timeout', postTask({ timeoutMs: 1e300 }), 400, 'invalid_request'],
  ['a fraction of a timeout', postTask({ timeoutMs: 1_000.5 }), 400, 'invalid_request'],
  ['a dependency that is no id', postTask({ after: ['x'] }), 400, 'invalid_request'],
  ['a dependency that is not there', postTask({ after: [crypto.randomUUID()] }), 422, 'dependency_not_found'],
  [
    'a __proto__ key',
    post('{"repo":"demo","title":"x","run":"y","__proto__":{"lane":"low"}}'),
    400,
    'malformed_json',
  ],
  [
    'a constructor key',
    post('{"repo":"demo","title":"x","run":"y","constructor":{"prototype":{}}}'),
    400,
    'malformed_json',
  ],
  ['a prototype key', postTask({ prototype: {} }), 400, 'invalid_request'],
  ['half a JSON', post('{"repo":'), 400, 'malformed_json'],
  ['no JSON at all', post('repo=demo'), 400, 'malformed_json'],
  ['an empty body', post('', { 'content-type': 'application/json' }), 400, 'malformed_json'],
  ['deeply nested JSON', post('['.repeat(100_000) + ']'.repeat(100_000)), 400, 'invalid_request'],
  ['a body of 10 MB', post(`"${'x'.repeat(10 * 1024 * 1024)}"`), 413, 'body_too_large'],
  [
    'a form',
    post('repo=demo', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'unsupported_media_type',
  ],
  ['XML', post('<a/>', { 'content-type': 'application/xml' }), 415, 'unsupported_media_type'],
  ['plain text', post(JSON.stringify(task), { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
  ['another site', post(task, { origin: 'https://evil.example' }), 403, 'origin_refused'],
  ['a null origin', post(task, { origin: 'null' }), 403, 'origin_refused'],
  ['an origin on another port', post(task, { origin: 'http://127.0.0.1:1' }), 403, 'origin_refused'],
  ['a host that was rebound', post(task, { host: 'evil.example' }), 421, 'host_refused'],
  ['a host on another port', post(task, { host: '127.0.0.1:1' }), 421, 'host_refused'],
  ['a host without port', post(task, { host: '127.0.0.1' }), 421, 'host_refused'],
  [
    'a token of nobody',
    post(task, { authorization: `Bearer muster_person_${'A'.repeat(43)}` }),
    401,
    'unauthenticated',
  ],
  ['a token of 10 kB', post(task, { authorization: `Bearer ${'A'.repeat(10_000)}` }), 401, 'unauthenticated'],
  ['a password as credential', post(task, { authorization: 'Basic b3duZXI6eA==' }), 401, 'unauthenticated'],
  ['no credential', post(task, { authorization: '' }), 401, 'unauthenticated'],
  [
    'a cookie of nobody',
    post(task, { authorization: '', cookie: 'muster_session=x' }),
    403,
    'origin_refused',
  ],
  ['a negative limit', get('/tasks?limit=-1'), 400, 'invalid_request'],
  ['a limit of 0', get('/tasks?limit=0'), 400, 'invalid_request'],
  ['a huge limit', get('/tasks?limit=99999999999999999999'), 400, 'invalid_request'],
  ['a limit that is no number', get('/events?limit=x'), 400, 'invalid_request'],
  ['an unknown filter', get('/tasks?stat=done'), 400, 'invalid_request'],
  ['an unknown state', get('/tasks?state=done,finished'), 400, 'invalid_request'],
  ['a filter given twice', get('/tasks?state=done&state=dead'), 400, 'invalid_request'],
  ['a cursor of another list', get('/tasks?cursor=1-1'), 400, 'invalid_request'],
  ['a cursor with SQL', get(`/runs?cursor=${encodeURIComponent(`' or 1=1--`)}`), 400, 'invalid_request'],
  ['a NUL in a filter', get('/tasks?state=%00'), 400, 'invalid_request'],
  ['an id that is none', get('/tasks/1'), 400, 'invalid_request'],
  ['an id of dashes', get(`/tasks/00000000${'-'.repeat(28)}`), 404, 'not_found'],
  ['an id with NUL', get('/tasks/%00'), 400, 'invalid_request'],
  ['a badly encoded id', get('/tasks/%zz'), 400, 'invalid_request'],
  ['an id of 10 kB', get(`/tasks/${'a'.repeat(10_000)}`), 400, 'invalid_request'],
  ['a path that leaves the API', get('/../../etc/passwd'), 404, 'not_found'],
  ['an address that is none', get('/nothing'), 404, 'not_found'],
  ['a method that is none', { method: 'PUT', path: '/api/v1/tasks' }, 404, 'not_found'],
  ['a log cursor below 0', get(`/tasks/${crypto.randomUUID()}/log?after=-1`), 400, 'invalid_request'],
  [
    'a log cursor above 2^63',
    get(`/tasks/${crypto.randomUUID()}/log?after=9223372036854775808`),
    400,
    'invalid_request',
  ],
  [
    'a token that is not there',
    { method: 'DELETE', path: `/api/v1/tokens/${crypto.randomUUID()}` },
    404,
    'not_found',
  ],
  [
    'a worker with a name that is no slug',
    { method: 'POST', path: '/api/v1/tokens', body: { kind: 'worker', name: 'A B' } },
    400,
    'invalid_request',
  ],
  [
    'a token that never ends',
    { method: 'POST', path: '/api/v1/tokens', body: { name: 'x', expiresInDays: 1e9 } },
    400,
    'invalid_request',
  ],
]

describe('a request that is wrong is refused in the one shape and leaves nothing behind', () => {
  let hub: TestHub
  // One hub for the whole table: that nothing changes in it is what is tested.
  beforeAll(async () => {
    const stops: (() => Promise<void>)[] = []
    hub = await startHub({ loops: false, onFinished: (stop) => void stops.unshift(stop) })
    await addRepo(hub.database, hub.workspaceId)
    return async () => {
      for (const stop of stops) await stop()
    }
  })

  test('a request that is right is taken', async () => {
    const authorization = `Bearer ${hub.ownerToken}`
    const answer = await hub.raw(post(task, { authorization, origin: hub.url }))
    expect(answer.status).toBe(201)
    expect((await countRows(hub.database))['tasks']).toBe(1)
  })

  test.each(cases)('%s', async (_, sent, status, code) => {
    const before = await countRows(hub.database)
    const headers = { authorization: `Bearer ${hub.ownerToken}`, ...sent.headers }
    if (headers.authorization === '') delete (headers as Record<string, string>)['authorization']
    const answer = await hub.raw({ ...sent, headers })
    expect(refusal(answer)).toEqual({ status, code })
    expect(answer.text).not.toMatch(/select|insert|\/apps\/|node_modules|at .*\.ts/)
    expect(await countRows(hub.database)).toEqual(before)
  })

  test('a worker token may call no operation of a person', async () => {
    const answer = await hub.attempt('createTask', { body: task, token: await hub.workerToken('w') })
    expect(refusal(answer)).toEqual({ status: 403, code: 'forbidden' })
  })
})

const addresses: [string, (root: string) => string, string][] = [
  ['a path where nothing is', (root) => `${root}/none`, 'repo_not_found'],
  ['a directory that is not git', (root) => root, 'repo_not_git'],
  ['a file', (root) => `${root}/repo/a.txt`, 'repo_not_git'],
  ['a relative path', () => 'repo', 'repo_url_refused'],
  ['a helper program', () => 'ext::sh -c touch% /tmp/x', 'repo_url_refused'],
  ['an option', () => '--upload-pack=touch /tmp/x', 'repo_url_refused'],
  ['a host that is an option', () => 'ssh://-oProxyCommand=x/y', 'repo_url_refused'],
  ['plain http', () => 'http://127.0.0.1:1/x', 'repo_url_refused'],
  ['the git protocol', () => 'git://127.0.0.1:1/x', 'repo_url_refused'],
  ['a server that does not answer', () => 'https://127.0.0.1:1/x', 'repo_unreachable'],
]

test.each(addresses)('a repository at %s is refused and not registered', async (_, at, code) => {
  const hub = await startHub({ loops: false })
  const repo = await gitRepo({ 'a.txt': 'A' })
  onTestFinished(repo.remove)
  const url = at(repo.path.replace(/\/repo$/, ''))
  const answer = await hub.attempt('addRepo', { body: { name: 'x', url } })
  expect(refusal(answer)).toEqual({ status: 422, code })
  expect(await hub.sql('select 1 from repos')).toEqual([])
})

test('a repository without a commit is refused, one with a commit is taken, and its name only once', async () => {
  const hub = await startHub({ loops: false })
  const repo = await gitRepo({ 'a.txt': 'A' })
  onTestFinished(repo.remove)
  await repo.git('init', '--quiet', '--bare', `${repo.path}/empty.git`)
  const empty = await hub.attempt('addRepo', { body: { name: 'empty', url: `${repo.path}/empty.git` } })
  expect(refusal(empty)).toEqual({ status: 422, code: 'repo_empty' })
  const add = { body: { name: 'demo', url: repo.path } }
  const added = await hub.call('addRepo', add)
  expect((await hub.call('listRepos')).items).toEqual([added])
  expect(refusal(await hub.attempt('addRepo', add))).toEqual({ status: 409, code: 'repo_name_taken' })
})
