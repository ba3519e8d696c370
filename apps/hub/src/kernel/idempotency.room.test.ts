import { expect, test } from 'vitest'
import { forgetOldKeys } from './idempotency.ts'
import { countRows, everyStoredText } from '../../test-support/database.ts'
import { addRepo, addWorkspace, startHub } from '../../test-support/hub.ts'
import { refusal } from '../../test-support/http.ts'

const body = { repo: 'demo', title: 'Once', run: 'true' }
const key = (value: string) => ({ 'idempotency-key': value })

async function hubWithRepo() {
  const hub = await startHub({ loops: false })
  await addRepo(hub.database, hub.workspaceId)
  return hub
}

test('twenty requests with one key at the same moment make one task and get one answer', async () => {
  const hub = await hubWithRepo()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => hub.attempt('createTask', { body, headers: key('same-key') })),
  )
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]))
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
  expect(await hub.sql('select 1 from tasks')).toHaveLength(1)
  expect(await hub.sql(`select 1 from events where kind = 'task.created'`)).toHaveLength(1)
})

test('without a key, or with another one, the same request is another task', async () => {
  const hub = await hubWithRepo()
  for (const headers of [{}, {}, key('key-number-1'), key('key-number-2')]) {
    await hub.call('createTask', { body, headers })
  }
  expect(await hub.sql('select 1 from tasks')).toHaveLength(4)
})

test('the answer to a key stays the first one although the task has changed since', async () => {
  const hub = await hubWithRepo()
  const task = await hub.call('createTask', { body, headers: key('key-number-1') })
  await hub.call('cancelTask', { params: { task: task.id } })
  expect(await hub.call('createTask', { body, headers: key('key-number-1') })).toEqual(task)
})

test('a key that was used for another body, task or operation is refused', async () => {
  const hub = await hubWithRepo()
  const headers = key('key-number-1')
  const one = await hub.call('createTask', { body })
  const two = await hub.call('createTask', { body })
  await hub.call('cancelTask', { params: { task: one.id }, headers })
  const mismatch = { status: 409, code: 'idempotency_mismatch' }
  expect(refusal(await hub.attempt('cancelTask', { params: { task: two.id }, headers }))).toEqual(mismatch)
  expect(refusal(await hub.attempt('retryTask', { params: { task: one.id }, headers }))).toEqual(mismatch)
  expect(refusal(await hub.attempt('createTask', { body, headers }))).toEqual(mismatch)
  expect(await hub.sql(`select 1 from tasks where state = 'cancelled'`)).toHaveLength(1)
})

test('a refused request does not burn its key', async () => {
  const hub = await startHub({ loops: false })
  const headers = key('key-number-1')
  expect(refusal(await hub.attempt('createTask', { body, headers })).code).toBe('repo_not_found')
  await addRepo(hub.database, hub.workspaceId)
  await hub.call('createTask', { body, headers })
  expect(await hub.sql('select 1 from tasks')).toHaveLength(1)
})

test('a key of one workspace means nothing in another', async () => {
  const hub = await hubWithRepo()
  const other = await addWorkspace(hub.database, 'other')
  await addRepo(hub.database, other.workspaceId)
  const mine = await hub.call('createTask', { body, headers: key('key-number-1') })
  const theirs = await hub.call('createTask', { body, headers: key('key-number-1'), token: other.token })
  expect(theirs.id).not.toBe(mine.id)
})

test.each(['short', 'x'.repeat(129)])('the key %j has not the right length and is refused', async (value) => {
  const hub = await hubWithRepo()
  const answer = await hub.attempt('createTask', { body, headers: key(value) })
  expect(refusal(answer)).toEqual({ status: 400, code: 'invalid_request' })
})

test('a token is shown once: a repeat is refused and its secret is stored nowhere', async () => {
  const hub = await startHub({ loops: false })
  const made = { body: { name: 'ci' }, headers: key('key-number-1') }
  const { secret } = await hub.call('createToken', made)
  expect(refusal(await hub.attempt('createToken', made))).toEqual({
    status: 409,
    code: 'token_already_shown',
  })
  expect(await hub.sql(`select 1 from tokens where name = 'ci'`)).toHaveLength(1)
  const stored = await everyStoredText(hub.database.url)
  expect(stored).toContain('"ci"')
  expect(stored).not.toContain(secret.slice('muster_person_'.length))
})

test('a sign-in link that was asked for with a key is stored nowhere either', async () => {
  const hub = await startHub({ loops: false })
  const made = { headers: key('key-number-1') }
  const { url } = await hub.call('createSignInLink', made)
  const secret = url.split('link=')[1] ?? ''
  expect(secret).toHaveLength('muster_link_'.length + 43)
  expect(await everyStoredText(hub.database.url)).not.toContain(secret.slice('muster_link_'.length))
  expect(refusal(await hub.attempt('createSignInLink', made)).code).toBe('token_already_shown')
})

test('a repository that went away does not change the answer to a repeated request', async () => {
  const hub = await startHub({ loops: false })
  const { gitRepo } = await import('@muster/testkit/git-repos')
  const repo = await gitRepo({ 'a.txt': 'A' })
  const add = { body: { name: 'there', url: repo.path }, headers: key('key-number-1') }
  const first = await hub.call('addRepo', add)
  await repo.remove()
  expect(await hub.call('addRepo', add)).toEqual(first)
})

test('a key on a route that only reads is ignored', async () => {
  const hub = await startHub({ loops: false })
  await hub.call('me', { headers: key('key-number-1') })
  expect((await countRows(hub.database))['idempotency_keys']).toBe(0)
})

test('a key is forgotten after a week and not before', async () => {
  const hub = await startHub({ loops: false })
  await hub.call('createToken', { body: { name: 'ci' }, headers: key('key-number-1') })
  await hub.hub.db.asSystem(forgetOldKeys)
  expect((await countRows(hub.database))['idempotency_keys']).toBe(1)
  await hub.database.sql(`update idempotency_keys set created_at = now() - interval '8 days'`)
  await hub.hub.db.asSystem(forgetOldKeys)
  expect((await countRows(hub.database))['idempotency_keys']).toBe(0)
})

test('a password that is set with a key leaves no trace of itself, not even a hash', async () => {
  const hub = await startHub({ loops: false })
  const body = { password: 'a long enough password' }
  await hub.call('setPassword', { body, headers: key('key-number-1') })
  expect((await countRows(hub.database))['idempotency_keys']).toBe(0)
})
