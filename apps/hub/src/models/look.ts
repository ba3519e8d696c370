import { hostname } from 'node:os'
import type { Endpoint, MissingModel, ModelList } from '@muster/contract/models'
import type { Tx } from '../kernel/db.ts'
import { candidateOf, hostOf, shown, type Prices } from './candidates.ts'
import type { ModelSettings } from './settings.ts'
import * as store from './store.ts'
import type { Supply } from './supply.ts'
import { sameModel } from './tiers.ts'

/** The machine of a worker, as it is known where workers are. */
export type Machine = Parameters<typeof hostOf>[0]

/** Models that tasks ask for by name, and how many wait for each. */
export type WantedModels = (tx: Tx) => Promise<{ model: string; tasks: number }[]>

/** What there is: for people, and for tasks. Its statements go out at once, with whatever else is under way. */
export function createLook(settings: ModelSettings, pricesIn: (tx: Tx) => Promise<Prices>) {
  // Models first: they are written with the health of their endpoint, so that no model is seen of one not asked yet.
  const read = async (tx: Tx) => {
    const [models, rows, cloudAllowed] = await Promise.all([
      store.listModels(tx),
      store.list(tx),
      store.isCloudAllowed(tx),
    ])
    // Only what is paid for is asked for its price, and most have nothing that is.
    const isPaid = cloudAllowed && (rows.some(({ cloud }) => cloud) || models.some(({ remote }) => remote))
    return { models, rows, policy: { cloudAllowed, prices: isPaid ? await pricesIn(tx) : () => free } }
  }

  return {
    /** One endpoint, by its id. */
    async get(tx: Tx, id: string): Promise<Endpoint> {
      const { models, rows, policy } = await read(tx)
      return shown(rows, models, policy).find((each) => each.id === id) as Endpoint
    },

    /** `wanted` is known above, where tasks are. */
    async list(tx: Tx, wanted: WantedModels): Promise<ModelList> {
      const [{ models, rows, policy }, byTasks] = await Promise.all([read(tx), wanted(tx)])
      const endpoints = shown(rows, models, policy)
      const items = endpoints.flatMap((each) => each.models)
      const { cloudAllowed } = policy
      return { items, endpoints, missing: missing(settings, items, byTasks), cloudAllowed, nextCursor: null }
    },

    /** What tasks of this workspace could be given. */
    async supply(tx: Tx, machines: Machine[]): Promise<Supply> {
      const hosts = machines.map((machine) => hostOf(machine, hostname()))
      const { models, rows, policy } = await read(tx)
      const { cloudAllowed, prices } = policy
      const byId = new Map(rows.map((row) => [row.id, row]))
      const candidates = models.flatMap((model) => {
        const endpoint = byId.get(model.endpoint_id)
        return endpoint === undefined ? [] : [candidateOf(endpoint, model, { running: 0, hosts, prices })]
      })
      const prefer = settings.model === null ? [] : [settings.model]
      return { candidates, hosts, cloudAllowed, waitMs: settings.waitMs, prefer, gatewayUrl: ownGateway }
    },
  }
}

/** While nothing may be paid for, no price matters. */
const free = { input: 0, output: 0 }

// A path, because a hub does not know under which address each worker sees it.
const ownGateway = '/'

function missing(
  { model }: ModelSettings,
  there: { name: string }[],
  byTasks: { model: string; tasks: number }[],
): MissingModel[] {
  const asked = [
    ...(model === null ? [] : [{ name: model, wantedBy: 'MUSTER_MODEL' }]),
    ...byTasks.map(({ model: name, tasks }) => ({
      name,
      wantedBy: `${tasks} waiting ${tasks === 1 ? 'task' : 'tasks'}`,
    })),
  ]
  return asked
    .filter(({ name }) => !there.some((each) => sameModel(each.name, name)))
    .map((each) => ({ ...each, command: `ollama pull ${each.name}` }))
}
