import type { Endpoint, MissingModel, ModelList } from '@muster/contract/models'
import type { Tier } from '@muster/contract/task-states'
import type { Identity } from '../identity/identity.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { shown } from './candidates.ts'
import { createCare } from './care.ts'
import { createRecord } from './record.ts'
import { createRegistry } from './registry.ts'
import type { ModelSettings } from './settings.ts'
import * as store from './store.ts'
import { sameModel } from './tiers.ts'

export type Models = ReturnType<typeof createModels>

/** Models that tasks ask for by name, and how many wait for each. */
export type WantedModels = (tx: Tx) => Promise<{ model: string; tasks: number }[]>

/** Where models are served, how they do, and which of them a task gets. Knows nothing of tasks and workers. */
export function createModels(deps: {
  db: Db
  identity: Identity
  events: Events
  hints: Hints
  settings: ModelSettings
}) {
  const { events, hints, settings } = deps
  const record = createRecord(deps)
  const registry = createRegistry({ ...deps, record })

  const endpoints = async (tx: Tx): Promise<{ all: Endpoint[]; cloudAllowed: boolean }> => {
    const [rows, models, cloudAllowed] = await Promise.all([
      store.list(tx),
      store.listModels(tx),
      store.isCloudAllowed(tx),
    ])
    return { all: shown(rows, models, cloudAllowed), cloudAllowed }
  }

  return {
    ...registry,
    ...createCare({ ...deps, record }),

    async get(tx: Tx, ref: string): Promise<Endpoint> {
      const { id } = await registry.find(tx, ref)
      return (await endpoints(tx)).all.find((each) => each.id === id) as Endpoint
    },

    /** `wanted` is known above, where tasks are. */
    async list(tx: Tx, wanted: WantedModels): Promise<ModelList> {
      const [{ all, cloudAllowed }, byTasks] = [await endpoints(tx), await wanted(tx)]
      const items = all.flatMap((each) => each.models)
      return {
        items,
        endpoints: all,
        missing: missing(settings, items, byTasks),
        cloudAllowed,
        nextCursor: null,
      }
    },

    /** A model is known by its name; where it is served changes, what it is for does not. */
    async setTier(tx: Tx, actor: Actor, model: string, tier: Tier | null): Promise<void> {
      const there = await store.listModels(tx)
      if (tier !== null && !there.some(({ name }) => name === model)) {
        throw new MusterError('model_not_found', `No endpoint has a model called ${model}.`)
      }
      await store.setTier(tx, actor.workspaceId, model, tier)
      await events.publish(tx, actor, { kind: 'model.tier_set', data: { model, tier } })
      tx.afterCommit(() => hints.send('queue'))
    },

    async allowCloud(tx: Tx, actor: Actor, allowed: boolean): Promise<void> {
      await store.allowCloud(tx, actor.workspaceId, allowed)
      await events.publish(tx, actor, { kind: 'model.cloud_set', data: { allowed } })
      tx.afterCommit(() => hints.send('queue'))
    },
  }
}

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
