import type { Command } from '../context.ts'

type TokenOptions = { worker?: boolean; expiresInDays?: number }

export const createToken: Command<TokenOptions, [string]> = async ({ output, ...context }, options, name) => {
  const hub = await context.hub()
  const token = await hub.call('createToken', {
    body: {
      name,
      kind: options.worker === true ? 'worker' : 'person',
      ...(options.expiresInDays === undefined ? {} : { expiresInDays: options.expiresInDays }),
    },
  })
  if (output.json) {
    output.document(token)
    return 0
  }
  output.line(token.secret)
  output.note(`Token ${token.name} (${token.id}); it is not shown again.`)
  if (options.worker === true) output.note(`On the worker: npx muster worker join ${hub.origin} --token -`)
  return 0
}

export const listTokens: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const found = await hub.call('listTokens', {})
  if (output.json) {
    output.document(found)
    return 0
  }
  const now = Date.now()
  output.table(
    [
      { name: 'id' },
      { name: 'name', cut: true },
      { name: 'kind', drop: 1 },
      { name: 'state', drop: 2 },
      { name: 'last used', drop: 3 },
    ],
    found.items.map((token) => [
      token.id,
      token.name,
      token.kind,
      stateOf(token, now),
      token.lastUsedAt?.slice(0, 16).replace('T', ' ') ?? 'never',
    ]),
  )
  return 0
}

function stateOf(token: { revokedAt: string | null; expiresAt: string | null }, now: number): string {
  if (token.revokedAt !== null) return 'revoked'
  if (token.expiresAt === null) return 'valid'
  return Date.parse(token.expiresAt) < now ? 'expired' : `until ${token.expiresAt.slice(0, 10)}`
}

export const revokeToken: Command<object, [string]> = async ({ output, ...context }, _options, id) => {
  const hub = await context.hub()
  const done = await hub.call('revokeToken', { params: { id } })
  if (output.json) output.document(done)
  else output.note(`Token ${id} is revoked.`)
  return 0
}
