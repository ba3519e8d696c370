import { expect, test } from 'vitest'
import { hostiles } from './hostile.ts'
import { hostileRefusals } from './hostile-refusals.ts'
import { requestOf, rows, start } from './observe.fixture.ts'
import type { Surface } from './turn.ts'

const statuses: Record<string, number> = {
  'has no room in its queue': 503,
  'is out of service': 503,
  'fails inside': 500,
  'is overloaded': 529,
  'does not know the key': 401,
  'wants a sign-in': 401,
  forbids: 403,
  'does not know the model': 404,
  'finds the prompt too long': 413,
  'finds the request wrong': 400,
  'repeats the key in its refusal': 401,
  'is a gateway without a server behind it': 502,
  'fails with a page of 10 MB': 500,
  'refuses and never ends its reason': 500,
  'leads elsewhere with 307': 307,
  'leads elsewhere with 302': 302,
  'leads elsewhere with 301': 301,
  'leads in a circle': 307,
}

async function ask(surface: Surface, name: string) {
  const server = await start(surface, name)
  const { path, headers, body } = requestOf(surface)
  const response = await fetch(server.url + path, { method: 'POST', headers, body, redirect: 'manual' })
  return { response, server }
}

test.each(rows(hostileRefusals))('"%s" has its status on %s', async (name, surface) => {
  const { response } = await ask(surface, name)
  expect(response.status).toBe(statuses[name] ?? 429)
})

test.each(rows(hostileRefusals.filter(({ resetInS }) => resetInS !== undefined)))(
  '"%s" says until when on %s, and nothing beside it does',
  async (name, surface) => {
    const { response } = await ask(surface, name)
    const said = [...response.headers].filter(([header]) => /retry-after|ratelimit.*reset/.test(header))
    const expected = hostileRefusals.find((each) => each.name === name)?.resetInS ?? null
    expect(said.length).toBe(name === 'limits without saying until when' ? 0 : 1)
    const value = said[0]?.[1] ?? ''
    const seconds = /^\d+$/.test(value)
      ? Number(value)
      : value === '1m0s'
        ? 60
        : (Date.parse(value) - Date.now()) / 1000
    if (expected === null) expect(seconds > 0).toBe(false)
    else expect(Math.abs(seconds - expected)).toBeLessThan(30)
  },
)

test('Ollama says that it has no room in its own words, with two spaces', async () => {
  const { response } = await ask('ollama', 'has no room in its queue')
  expect(await response.json()).toEqual({
    error: 'server busy, please try again.  maximum pending requests exceeded',
  })
})

test.each(['openai', 'anthropic'] as const)(
  'the key stands in the refusal of %s that repeats it',
  async (surface) => {
    const { response } = await ask(surface, 'repeats the key in its refusal')
    expect(await response.text()).toContain('secret-key')
  },
)

test.each(['ollama', 'openai', 'anthropic'] as const)(
  'a client of %s that follows a redirect is seen by the canary, and one that does not is not',
  async (surface) => {
    const { response, server } = await ask(surface, 'leads elsewhere with 307')
    expect(response.headers.get('location')).toBe(`${server.canary.url}/stolen`)
    expect(server.canary.requests).toEqual([])
    const { path, headers, body } = requestOf(surface)
    await fetch(server.url + path, { method: 'POST', headers, body })
    expect(server.canary.requests.map((request) => request.path)).toEqual(['/stolen'])
  },
)

test('there are at least 40 behaviours for each server, each under a name of its own', () => {
  expect(new Set(hostiles.map(({ name }) => name)).size).toBe(hostiles.length)
  for (const surface of ['ollama', 'openai', 'anthropic'] as const) {
    expect(hostiles.filter(({ servers }) => servers.includes(surface)).length).toBeGreaterThan(100)
  }
})
