import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import { everyStoredText } from '../../test-support/database.ts'
import { startHub, type TestHub } from '../../test-support/hub.ts'
import { refusal, type Answer } from '../../test-support/http.ts'

const password = 'correct horse battery'

const signIn = (hub: TestHub, body: object) => hub.attempt('signIn', { token: null, body })
const linkOf = async (hub: TestHub) => (await hub.call('createSignInLink')).url.split('link=')[1] ?? ''
const cookieOf = (answer: Answer) => answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
const withCookie = (hub: TestHub, cookie: string) => ({ token: null, headers: { cookie, origin: hub.url } })
const refused = { status: 401, code: 'sign_in_refused' }
const unauthenticated = { status: 401, code: 'unauthenticated' }

async function session(hub: TestHub) {
  const answer = await signIn(hub, { link: await linkOf(hub) })
  return withCookie(hub, cookieOf(answer))
}

test('a sign-in link works once, for the person who made it', async () => {
  const hub = await startHub({ loops: false })
  const link = await linkOf(hub)
  const answer = await signIn(hub, { link })
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({ actor: 'owner', kind: 'person', workspace: { id: hub.workspaceId } })
  expect(await hub.call('me', withCookie(hub, cookieOf(answer)))).toEqual(answer.body)
  expect(refusal(await signIn(hub, { link }))).toEqual(refused)
})

test('of many uses of one link at the same moment exactly one signs in', async () => {
  const hub = await startHub({ loops: false })
  const link = await linkOf(hub)
  const answers = await Promise.all(Array.from({ length: 8 }, () => signIn(hub, { link })))
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
})

test('a sign-in link ends after 15 minutes', async () => {
  const hub = await startHub({ loops: false })
  const { url, expiresAt } = await hub.call('createSignInLink')
  const minutes = (Date.parse(expiresAt) - Date.now()) / 60_000
  expect(minutes).toBeGreaterThan(14)
  expect(minutes).toBeLessThan(16)
  await hub.sql('update sign_in_links set expires_at = now()')
  expect(refusal(await signIn(hub, { link: url.split('link=')[1] }))).toEqual(refused)
})

test('the cookie of a session is out of reach of scripts and of other sites, and ends', async () => {
  const hub = await startHub({ loops: false })
  const answer = await signIn(hub, { link: await linkOf(hub) })
  const [cookie = ''] = answer.headers['set-cookie'] ?? []
  expect(cookie).toMatch(
    /^muster_session=muster_session_[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
  )
  expect(answer.headers['cache-control']).toBe('no-store')
  const input = withCookie(hub, cookieOf(answer))
  expect((await hub.call('me', input)).actor).toBe('owner')
  await hub.sql('update sessions set expires_at = now()')
  expect(refusal(await hub.attempt('me', input))).toEqual(unauthenticated)
})

test('a cookie counts for a change only together with the origin of this hub', async () => {
  const hub = await startHub({ loops: false })
  const { headers } = await session(hub)
  const { origin, ...bare } = headers
  expect(refusal(await hub.attempt('createSignInLink', { token: null, headers: bare })).code).toBe(
    'origin_refused',
  )
  const foreign = { ...bare, origin: 'http://localhost:1' }
  expect(refusal(await hub.attempt('createSignInLink', { token: null, headers: foreign })).code).toBe(
    'origin_refused',
  )
  expect((await hub.attempt('createSignInLink', { token: null, headers: { ...bare, origin } })).status).toBe(
    201,
  )
  expect((await hub.attempt('me', { token: null, headers: bare })).status).toBe(200)
})

test('signing out ends the session, its sockets, and no other', async () => {
  const hub = await startHub()
  const [one, two] = [await session(hub), await session(hub)]
  const sockets = [
    await hub.live({ headers: one.headers }),
    await hub.live({ headers: two.headers }),
  ] as const
  const answer = await hub.attempt('signOut', one)
  expect(answer.status).toBe(200)
  expect(answer.headers['set-cookie']?.[0]).toMatch(/^muster_session=; .*Expires=Thu, 01 Jan 1970/)
  expect(refusal(await hub.attempt('me', one))).toEqual(unauthenticated)
  expect((await hub.call('me', two)).actor).toBe('owner')
  expect(await sockets[0].closed).toMatchObject({ code: 4003 })
  expect(sockets[1].socket.readyState).toBe(sockets[1].socket.OPEN)
})

test('a password needs 12 characters and, to be changed, the current one', async () => {
  const hub = await startHub({ loops: false })
  expect((await hub.call('me')).hasPassword).toBe(false)
  const short = await hub.attempt('setPassword', { body: { password: 'eleven char' } })
  expect(refusal(short)).toEqual({ status: 400, code: 'invalid_request' })
  await hub.call('setPassword', { body: { password } })
  expect((await hub.call('me')).hasPassword).toBe(true)
  for (const current of [undefined, '', 'wrong wrong wrong']) {
    const answer = await hub.attempt('setPassword', { body: { password: 'another password', current } })
    expect(refusal(answer)).toEqual(refused)
  }
  expect((await signIn(hub, { password })).status).toBe(200)
  await hub.call('setPassword', { body: { password: 'another password', current: password } })
  expect(refusal(await signIn(hub, { password }))).toEqual(refused)
})

test('nobody signs in with a password before one was set', async () => {
  const hub = await startHub({ loops: false })
  for (const body of [{}, { password: '' }, { password: 'null' }]) {
    expect(refusal(await signIn(hub, body))).toEqual(refused)
  }
})

test('ten wrong passwords are answered, then none is looked at, while the person goes on', async () => {
  const hub = await startHub()
  await hub.call('setPassword', { body: { password } })
  const own = await session(hub)
  const live = await hub.live()
  for (let n = 0; n < 10; n++) expect(refusal(await signIn(hub, { password: `wrong ${n}` }))).toEqual(refused)
  const paused = { status: 429, code: 'too_many_attempts' }
  expect(refusal(await signIn(hub, { password: 'wrong again' }))).toEqual(paused)
  expect(refusal(await signIn(hub, { password }))).toEqual(paused)
  // The session, the socket and the token of the person are not the guesser's to end.
  expect((await hub.call('me', own)).actor).toBe('owner')
  expect(live.socket.readyState).toBe(live.socket.OPEN)
  // And a one-time link, which nobody guesses, still lets the person in, as the hint says.
  expect((await signIn(hub, { link: await linkOf(hub) })).status).toBe(200)
})

test('a hundred guesses at the same moment are ten guesses', async () => {
  const hub = await startHub({ loops: false })
  await hub.call('setPassword', { body: { password } })
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => signIn(hub, { password: `guess number ${n}` })),
  )
  const codes = answers.map((answer) => refusal(answer).code)
  expect(codes.filter((code) => code === 'sign_in_refused')).toHaveLength(10)
  expect(codes.filter((code) => code === 'too_many_attempts')).toHaveLength(90)
})

test('a right password forgives the wrong ones before it', async () => {
  const hub = await startHub({ loops: false })
  await hub.call('setPassword', { body: { password } })
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 6; n++) expect(refusal(await signIn(hub, { password: 'wrong' }))).toEqual(refused)
    expect((await signIn(hub, { password })).status).toBe(200)
  }
})

test('a revoked token is refused at once and its sockets are closed within 2 s', async () => {
  const hub = await startHub()
  const person = await hub.call('createToken', { body: { name: 'laptop' } })
  const machine = await hub.call('createToken', { body: { name: 'builder', kind: 'worker' } })
  const live = await hub.live({ token: person.secret })
  const worker = await hub.worker({ token: machine.secret })
  const bystander = await hub.live()
  for (const [id, socket] of [
    [person.id, live],
    [machine.id, worker],
  ] as const) {
    const since = performance.now()
    await hub.call('revokeToken', { params: { id } })
    expect(await socket.closed).toMatchObject({ code: 4003 })
    expect(performance.now() - since).toBeLessThan(2_000)
  }
  expect(refusal(await hub.attempt('me', { token: person.secret }))).toEqual(unauthenticated)
  await expect(hub.worker({ token: machine.secret })).rejects.toThrow('401')
  expect(bystander.socket.readyState).toBe(bystander.socket.OPEN)
})

test('an expired token is refused and its socket is closed', async () => {
  const hub = await startHub()
  const { id, secret, expiresAt } = await hub.call('createToken', {
    body: { name: 'brief', expiresInDays: 1 },
  })
  expect(Date.parse(expiresAt ?? '') - Date.now()).toBeLessThan(86_400_000 + 5_000)
  const live = await hub.live({ token: secret })
  await hub.sql('update tokens set expires_at = now() where id = $1', [id])
  expect(await live.closed).toMatchObject({ code: 4003 })
  expect(refusal(await hub.attempt('me', { token: secret }))).toEqual(unauthenticated)
})

test('a personal token ends after 90 days unless told otherwise, a worker token does not by itself', async () => {
  const hub = await startHub({ loops: false })
  const person = await hub.call('createToken', { body: { name: 'laptop' } })
  expect(Math.round((Date.parse(person.expiresAt ?? '') - Date.now()) / 86_400_000)).toBe(90)
  expect((await hub.call('createToken', { body: { name: 'w', kind: 'worker' } })).expiresAt).toBeNull()
})

test('no secret is stored or listed: only hashes are', async () => {
  const hub = await startHub({ loops: false })
  await hub.call('setPassword', { body: { password } })
  const token = await hub.call('createToken', { body: { name: 'laptop' } })
  const machine = await hub.call('createToken', { body: { name: 'builder', kind: 'worker' } })
  const link = await linkOf(hub)
  const cookie = cookieOf(await signIn(hub, { password }))
  const stored = await everyStoredText(hub.database.url)
  const listed = JSON.stringify(await hub.call('listTokens'))
  for (const secret of [token.secret, machine.secret, link, cookie.split('=')[1] ?? '', password]) {
    const random = secret.replace(/^muster_[a-z]+_/, '')
    expect(random.length).toBeGreaterThan(20)
    for (const form of [
      random,
      Buffer.from(random).toString('hex'),
      Buffer.from(random, 'base64url').toString('hex'),
    ]) {
      expect(stored).not.toContain(form)
      expect(listed).not.toContain(form)
    }
  }
  expect(stored).toMatch(/scrypt\$17\$8\$1\$/)
})

test('a token is used at most once a minute as far as its row says', async () => {
  const hub = await startHub({ loops: false })
  await hub.call('me')
  const used = () => hub.sql<{ at: Date }>('select last_used_at as at from tokens')
  const [first] = await used()
  await hub.call('me')
  expect(await used()).toEqual([first])
  await hub.sql(`update tokens set last_used_at = now() - interval '61 s'`)
  await hub.call('me')
  await eventually(async () => ((await used())[0]?.at ?? new Date(0)) >= (first?.at ?? new Date()))
})

test('a session is no token and a token is no session', async () => {
  const hub = await startHub({ loops: false })
  const { headers } = await session(hub)
  const secret = headers.cookie.split('=')[1] ?? ''
  expect(refusal(await hub.attempt('me', { token: secret }))).toEqual(unauthenticated)
  const cookie = `muster_session=${hub.ownerToken}`
  expect(refusal(await hub.attempt('me', { token: null, headers: { cookie } }))).toEqual(unauthenticated)
  // A bad token is not rescued by a good cookie.
  const both = { authorization: 'Bearer x', cookie: headers.cookie }
  expect(refusal(await hub.attempt('me', { token: null, headers: both }))).toEqual(unauthenticated)
})
