import type { Db } from '../kernel/db.ts'
import type { Handlers } from '../kernel/handler.ts'
import type { WantedModels } from './look.ts'
import type { Models } from './models.ts'

type Names =
  | 'listModels'
  | 'setModelTier'
  | 'allowCloud'
  | 'addEndpoint'
  | 'getEndpoint'
  | 'refreshEndpoint'
  | 'removeEndpoint'

/** `wanted` comes from above: what tasks wait for is known where tasks are. */
export function modelRoutes(deps: { models: Models; wanted: WantedModels; db: Db }): Handlers<Names> {
  const { models, wanted } = deps
  return {
    listModels: ({ inTransaction }) => inTransaction((tx) => models.list(tx, wanted)),
    setModelTier: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        await models.setTier(tx, actor, body.model, body.tier)
        return models.list(tx, wanted)
      }),
    allowCloud: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        await models.allowCloud(tx, actor, body.allowed)
        return models.list(tx, wanted)
      }),
    async addEndpoint({ actor, body, inTransaction }) {
      // Before the transaction: a server that does not answer takes seconds, which no transaction should last.
      const probed = await models.probe(body)
      return inTransaction(async (tx) => models.get(tx, (await models.add(tx, actor, body, probed)).id))
    },
    getEndpoint: ({ params, inTransaction }) =>
      inTransaction(async (tx) => models.get(tx, (await models.find(tx, params.endpoint)).id)),
    async refreshEndpoint({ actor, params, inTransaction }) {
      const row = await deps.db.inWorkspace(actor.workspaceId, (tx) => models.find(tx, params.endpoint))
      // A worker's own endpoint is not ours to ask; what it last said is shown.
      if (row.source !== 'worker') await models.check(row)
      return inTransaction((tx) => models.get(tx, row.id))
    },
    removeEndpoint: ({ actor, params, inTransaction }) =>
      inTransaction(async (tx) => {
        await models.remove(tx, actor, params.endpoint)
        return { ok: true as const }
      }),
  }
}
