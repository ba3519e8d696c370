import {
  hubStates,
  type Budget,
  type CallCounts,
  type CostReport,
  type Price as ShownPrice,
} from '@muster/contract/costs'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Handlers } from '../kernel/handler.ts'
import type { Scope } from './budget.ts'
import { countAll, limitOf, setCallLimit } from './call-store.ts'
import * as ledger from './ledger.ts'
import { pricesOf, table, type Price } from './prices.ts'
import * as store from './store.ts'

type Names =
  | 'getCosts'
  | 'setBudget'
  | 'getCalls'
  | 'setCallLimit'
  | 'listPrices'
  | 'setPrice'
  | 'removePrice'

const perDollar = 1_000_000

/** `workerId` comes from above: workers are known where agents are. It refuses with `worker_not_found`. */
export function costRoutes({
  events,
  workerId,
}: {
  events: Events
  workerId: (tx: Tx, name: string) => Promise<string>
}): Handlers<Names> {
  return {
    getCosts: ({ actor, query, inTransaction }) =>
      inTransaction(async (tx) => {
        const span = await ledger.spanOf(tx, query.since, query.until)
        if (span.since >= span.until) {
          throw new MusterError('invalid_request', 'since: must be before until')
        }
        const budget = await budgetOf(tx, { scope: 'workspace', id: actor.workspaceId })
        return {
          by: query.by,
          since: span.since.toISOString(),
          until: span.until.toISOString(),
          items: await ledger.spentBy(tx, query.by, span, query.limit),
          ...(await ledger.totals(tx, span)),
          budget,
          forecast: forecastOf(await ledger.paceOf(tx), budget),
        }
      }),
    setBudget: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        const { limitUsd } = body
        const limit = limitUsd === null ? null : Math.round(limitUsd * perDollar)
        const { worker } = body
        const of =
          worker === undefined
            ? { scope: 'workspace' as const, id: actor.workspaceId }
            : { scope: 'worker' as const, id: await workerId(tx, worker) }
        await store.setLimit(tx, actor.workspaceId, of, limit)
        const data = { scope: of.scope, limitUsd, ...(worker === undefined ? {} : { worker }) }
        await events.publish(tx, actor, { kind: 'budget.set', data })
        return budgetOf(tx, of)
      }),
    getCalls: ({ inTransaction }) => inTransaction(callsNow),
    setCallLimit: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        await setCallLimit(tx, actor.workspaceId, body.state, body)
        await events.publish(tx, actor, { kind: 'calls.limited', data: { ...body } })
        return callsNow(tx)
      }),
    listPrices: ({ inTransaction }) =>
      inTransaction(async (tx) => {
        const own = await store.ownPrices(tx)
        const brought = table.filter(([model]) => !own.some(([name]) => name === model))
        return {
          items: [
            ...own.map(([model, price]) => shown(model, price, true)),
            ...brought.map(([model, price]) => shown(model, price, false)),
          ],
          tableOf: pricesOf,
        }
      }),
    setPrice: ({ actor, body, inTransaction }) =>
      inTransaction(async (tx) => {
        const { model, inputUsd, outputUsd, cacheReadUsd = inputUsd, cacheWriteUsd = inputUsd } = body
        const [input, output, cacheRead, cacheWrite] = [inputUsd, outputUsd, cacheReadUsd, cacheWriteUsd].map(
          (each) => Math.round(each * perDollar),
        ) as [number, number, number, number]
        const price = { input, output, cacheRead, cacheWrite }
        await store.setOwnPrice(tx, actor.workspaceId, model, price)
        await events.publish(tx, actor, { kind: 'price.set', data: { ...body } })
        return shown(model, price, true)
      }),
    removePrice: ({ actor, params, inTransaction }) =>
      inTransaction(async (tx) => {
        const { model } = params
        if (!(await store.removeOwnPrice(tx, model))) {
          throw new MusterError('price_not_found', 'This workspace has no price of its own for that model.')
        }
        await events.publish(tx, actor, { kind: 'price.removed', data: { model } })
        return { ok: true as const }
      }),
  }
}

function forecastOf(perDayUsd: number, { leftUsd }: Budget): CostReport['forecast'] {
  const budgetLastsDays = leftUsd === null || perDayUsd === 0 ? null : leftUsd / perDayUsd
  return { perDayUsd, per30DaysUsd: perDayUsd * 30, budgetLastsDays }
}

async function callsNow(tx: Tx): Promise<CallCounts> {
  const { states, hub, tasks } = await countAll(tx)
  const items = []
  for (const state of hubStates) {
    items.push({ state, ...(states.get(state) ?? { hour: 0, day: 0 }), ...(await limitOf(tx, state)) })
  }
  return { items, hub, tasks }
}

async function budgetOf(tx: Tx, of: { scope: Scope; id: string }): Promise<Budget> {
  const { limit, spent, reserved } = await store.findBudget(tx, of)
  const left = limit === null ? null : Math.max(0, limit - spent - reserved) / perDollar
  return {
    limitUsd: limit === null ? null : limit / perDollar,
    spentUsd: spent / perDollar,
    reservedUsd: reserved / perDollar,
    leftUsd: left,
  }
}

function shown(model: string, price: Price, own: boolean): ShownPrice {
  return {
    model,
    inputUsd: price.input / perDollar,
    outputUsd: price.output / perDollar,
    cacheReadUsd: price.cacheRead / perDollar,
    cacheWriteUsd: price.cacheWrite / perDollar,
    own,
  }
}
