import type { Tier } from '@muster/contract/task-states'
import type { Costs } from '../costs/costs.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import { createBreaker } from './breaker.ts'
import { createCare } from './care.ts'
import { createLook } from './look.ts'
import { createRecord } from './record.ts'
import { createRegistry } from './registry.ts'
import { createReport } from './report.ts'
import { keyFor, type ModelSettings } from './settings.ts'
import * as store from './store.ts'

export type Models = ReturnType<typeof createModels>

/** Where models are served, how they do, and which of them a task gets. Knows nothing of tasks and workers. */
export function createModels(deps: {
  db: Db
  events: Events
  hints: Hints
  settings: ModelSettings
  costs: Pick<Costs, 'prices'>
}) {
  const { events, hints, settings } = deps
  const record = createRecord(deps)
  const registry = createRegistry({ ...deps, record })

  return {
    ...registry,
    ...createCare({ ...deps, record }),
    ...createBreaker(deps),
    ...createLook(settings, deps.costs.prices),
    handler: createReport({ ...deps, record }),

    /** Where an endpoint is, and the key for it: for the gateway, and for nobody who would hand it on. */
    async upstream(tx: Tx, ref: string) {
      const { kind, url } = await registry.find(tx, ref)
      return { kind, url, key: keyFor(settings, { kind, url }) }
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
