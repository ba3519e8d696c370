import type { Route } from '@muster/contract/route'
import { routes, type RouteName } from '@muster/contract/routes'
import { quoted, withClient } from '@muster/testkit/databases'
import { testCluster } from '@muster/testkit/test-cluster'
import { expect, test } from 'vitest'
import { addRepo, startHub } from '../../test-support/hub.ts'
import { refusal } from '../../test-support/http.ts'

test('every operation of the contract is mounted and described', async () => {
  const hub = await startHub({ loops: false })
  const described = JSON.stringify((await hub.raw({ path: '/api/v1/openapi.json' })).body)
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const answer = await hub.attempt(name, {
      token: null,
      params: { task: '00000000', id: crypto.randomUUID() },
    })
    // Mounted: it asks who is there, or, for anybody, looks at what was sent.
    expect([name, answer.status]).toEqual([name, 401])
    expect(refusal(answer).code).toBe(route.who === 'anybody' ? 'sign_in_refused' : 'unauthenticated')
    expect(described).toContain(`"operationId":"${name}"`)
  }
})

test('health needs nobody to be signed in and tells nothing but the version', async () => {
  const hub = await startHub({ loops: false })
  expect((await hub.raw({ path: '/health' })).body).toEqual({ ok: true, version: expect.any(String) })
  expect((await hub.raw({ path: '/ready' })).body).toEqual({ ok: true })
})

test('every answer carries the headers that keep a browser in bounds', async () => {
  const hub = await startHub({ loops: false })
  for (const path of ['/health', '/api/v1/me', '/api/v1/nothing', '/nothing', '/api/v1/tasks/%zz']) {
    const { headers } = await hub.raw({ path })
    expect(headers['content-security-policy'], path).toContain("default-src 'none'")
    expect(headers['content-security-policy'], path).not.toMatch(/unsafe|\*/)
    expect(headers['x-content-type-options'], path).toBe('nosniff')
    expect(headers['access-control-allow-origin'], path).toBeUndefined()
    expect(headers['server'] ?? headers['x-powered-by'], path).toBeUndefined()
  }
  const authenticated = await hub.attempt('me')
  expect(authenticated.headers['cache-control']).toBe('no-store')
})

test('a hub whose database is gone says so in the one shape, is not ready, and lives on', async () => {
  const hub = await startHub({ loops: false })
  const { pathname } = new URL(hub.database.url)
  const name = decodeURIComponent(pathname.slice(1))
  const limit = (connections: number) =>
    withClient(testCluster().url, (client) =>
      client.query(`alter database ${quoted(name)} connection limit ${connections}`),
    )
  await limit(0)
  await hub.sql(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename in ('muster_app', 'muster_system')`)
  const away = await hub.attempt('me')
  expect(refusal(away)).toEqual({ status: 503, code: 'database_unavailable' })
  expect(away.headers['retry-after']).toBe('2')
  expect((await hub.raw({ path: '/ready' })).status).toBe(503)
  expect((await hub.raw({ path: '/health' })).status).toBe(200)
  await limit(-1)
  expect((await hub.call('me')).actor).toBe('owner')
})

test('a list is paged without gap or double while tasks are added', async () => {
  const hub = await startHub({ loops: false })
  await addRepo(hub.database, hub.workspaceId)
  const submit = () => hub.call('createTask', { body: { repo: 'demo', title: 't', run: 'true' } })
  const made: string[] = []
  for (let n = 0; n < 7; n++) made.unshift((await submit()).id)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: Record<string, string> = cursor === '' ? { limit: '3' } : { limit: '3', cursor }
    const page: { items: { id: string }[]; nextCursor: string | null } = await hub.call('listTasks', {
      query,
    })
    seen.push(...page.items.map((task) => task.id))
    await submit()
    cursor = page.nextCursor
  }
  expect(seen).toEqual(made)
  expect((await hub.call('listTasks', { query: { state: 'done,dead' } })).items).toEqual([])
  expect((await hub.call('listTasks', { query: { state: 'queued,dead', limit: '200' } })).items).toHaveLength(
    10,
  )
})
