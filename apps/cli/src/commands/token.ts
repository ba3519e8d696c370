import type { Hub } from '../connection.ts'
import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'
import { Failure } from '../failure.ts'

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

export const revokeToken: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const id = await idOf(hub, ref)
  const done = await hub.call('revokeToken', { params: { id } })
  if (output.json) output.document(done)
  else output.note(`Token ${id} is revoked.`)
  return 0
}

/** A person remembers the name. One that several tokens share says nothing about which is meant, so nothing is revoked. */
async function idOf(hub: Hub, ref: string): Promise<string> {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(ref)) return ref
  const { items } = await hub.call('listTokens', {})
  const [named, another] = items.filter((token) => token.name === ref && token.revokedAt === null)
  if (named === undefined) {
    const hint = 'See "npx muster token list" for the names and ids.'
    throw new Failure('not_found', `No token that can be revoked is called ${ref}.`, hint, exits.notFound)
  }
  if (another === undefined) return named.id
  const hint = 'Give the id of one, as "npx muster token list" shows it.'
  throw new Failure('usage', `Several tokens are called ${ref}.`, hint)
}
