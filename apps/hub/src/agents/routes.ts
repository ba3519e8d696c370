import { slugName } from '@muster/contract/text'
import type { Identity } from '../identity/identity.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Handlers } from '../kernel/handler.ts'
import type { Agents } from './agents.ts'

/** `busy` comes from above: what workers hold is known where tasks are. */
export function agentRoutes(deps: {
  agents: Agents
  identity: Identity
  busy: (tx: Tx) => Promise<Map<string, number>>
}): Handlers<
  'listWorkers' | 'getWorker' | 'restartWorker' | 'createToken' | 'cordonWorker' | 'uncordonWorker'
> {
  const { agents, identity } = deps
  return {
    listWorkers: ({ inTransaction }) =>
      inTransaction(async (tx) => ({ items: await agents.list(tx, await deps.busy(tx)), nextCursor: null })),
    getWorker: ({ params, inTransaction }) =>
      inTransaction(async (tx) => agents.get(tx, params.worker, await deps.busy(tx))),
    async restartWorker({ actor, params, body, inTransaction }) {
      const { id } = await inTransaction(async (tx) => {
        const row = await agents.orderRestart(tx, actor, params.worker, body)
        return agents.get(tx, row.id, await deps.busy(tx))
      })
      // Apart from the request's own transaction: a repeated request gets the stored answer of the order from that one.
      return agents.untilAnnounced(actor, id, async (tx) => agents.get(tx, id, await deps.busy(tx)))
    },
    cordonWorker: ({ actor, params, body, inTransaction }) =>
      inTransaction(async (tx) => {
        await agents.cordon(tx, actor, params.worker, body.reason ?? `Cordoned by ${actor.label}.`)
        return agents.get(tx, params.worker, await deps.busy(tx))
      }),
    uncordonWorker: ({ actor, params, inTransaction }) =>
      inTransaction(async (tx) => {
        await agents.uncordon(tx, actor, params.worker)
        return agents.get(tx, params.worker, await deps.busy(tx))
      }),
    createToken: ({ actor, body, inTransaction }) =>
      inTransaction((tx) => {
        const input = { name: body.name, expiresInDays: body.expiresInDays }
        if (body.kind === 'person') return identity.issueToken(tx, actor, input)
        if (!slugName.safeParse(body.name).success) {
          throw new MusterError(
            'invalid_request',
            'name: a worker is named in lower-case letters, digits, dot and dash',
          )
        }
        return agents.addWorker(tx, actor, input)
      }),
  }
}
