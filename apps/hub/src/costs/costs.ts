import type { HubState } from '@muster/contract/costs'
import type { ChosenModel, Usage } from '@muster/contract/loop'
import type { Tier } from '@muster/contract/task-states'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import type { Events } from '../kernel/events.ts'
import { createAlerts } from './alerts.ts'
import { whyRefused } from './budget.ts'
import { whyTooOften } from './call-limits.ts'
import { countOf, limitOf } from './call-store.ts'
import { costOf, knownPrice, referencePrice, type Price } from './prices.ts'
import * as store from './store.ts'

export type Costs = ReturnType<typeof createCosts>
export type Spender = store.ScopeIds & {
  agent: string
  purpose: 'task' | 'hub'
  state?: HubState | null
  /** By name; none for the hub's own calls. */
  worker?: string | null
}
export type Recorded = { cost: number; saved: number }

// Nobody waits this long for a model; what has not been settled by then never will be.
const settledWithinSeconds = 15 * 60

/**
 * Money. A call that costs something is reserved before it is made, with the most that it can cost, along workspace → goal →
 * task → run, and settled after it with what it did cost. A hub that dies between the two leaves the reservation, which
 * is settled with its maximum later: what is not known is not free. Sums are whole millionths of a US dollar.
 */
export function createCosts({ events }: { events: Events }) {
  const alerts = createAlerts({ events })

  return {
    priceOf,

    /** What a model costs here, to be chosen by; what has no price is not asked when it is paid for. */
    async prices(this: void, tx: Tx): Promise<(model: string) => Price | undefined> {
      const own = new Map(await store.ownPrices(tx))
      return (model) => own.get(model) ?? knownPrice(model)
    },

    /**
     * Reserves for one call that takes at most so many tokens. Refuses with `price_unknown`, `budget_exhausted` or, for
     * one of the hub's own, `call_limit_reached`, and then nothing is written. Answers what `settle` needs.
     */
    reserve: createReserve(alerts),

    settle,

    /** Asked before a call of the hub's own that costs nothing, so has no reservation. Refuses with `call_limit_reached`. */
    async mayCall(tx: Tx, spender: Spender): Promise<void> {
      const { workspaceId } = spender
      await store.lockBudgets(tx, { workspaceId, goalId: null, taskId: null, runId: null })
      await mustBeSeldom(alerts, tx, spender)
    },

    /** Told once an hour, in a transaction of its own: that of a refused call is gone. */
    tellExhausted: alerts.exhausted,

    /** A call that costs nothing and was not reserved: of a local model or of the practice model. */
    async record(
      tx: Tx,
      spender: Spender,
      model: ChosenModel,
      call: { usage: Usage; tier: Tier; ok: boolean },
    ): Promise<Recorded> {
      // Practice thinks nothing, so it saves nothing.
      const saved = model.costClass === 'local' ? costOf(referencePrice(call.tier), call.usage) : 0
      const { goalId: _, ...by } = spender
      const { name, provider, endpoint, costClass } = model
      await store.insertCall(tx, {
        ...by,
        ...call.usage,
        id: newId(),
        state: spender.state ?? null,
        worker: spender.worker ?? null,
        model: name,
        provider,
        endpoint,
        costClass,
        cost: 0,
        saved,
        ok: call.ok,
        isMaximum: false,
      })
      return { cost: 0, saved }
    },

    setLimit: store.setLimit,

    /** Of all workspaces: what was never settled counts with its maximum. */
    async settleOverdue(this: void, tx: Tx): Promise<void> {
      for (const { id } of await store.overdue(tx, settledWithinSeconds)) {
        await settle(tx, id, { usage: null, ok: false })
      }
    },
  }
}

type Alerts = ReturnType<typeof createAlerts>

function createReserve(alerts: Alerts) {
  return async function reserve(
    tx: Tx,
    spender: Spender,
    model: ChosenModel,
    most: { inputTokens: number; outputTokens: number },
  ): Promise<{ id: string; max: number }> {
    const price = await priceOf(tx, model.name)
    if (price === undefined) {
      throw new MusterError(
        'price_unknown',
        `The price of ${model.name} is not known, and unknown is not free.`,
      )
    }
    const max = costOf(price, { ...most, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: true })
    const budgets = await store.lockBudgets(tx, spender)
    await mustBeSeldom(alerts, tx, spender)
    const refused = whyRefused(budgets, max)
    if (refused !== undefined) throw new MusterError('budget_exhausted', refused)
    await alerts.low(tx, spender, budgets, max)
    const id = newId()
    await store.addTo(tx, spender, { reserved: max, spent: 0 })
    const { name, provider, endpoint } = model
    const state = spender.state ?? null
    await store.insertReservation(tx, {
      ...spender,
      state,
      worker: spender.worker ?? null,
      id,
      model: name,
      provider,
      endpoint,
      max,
    })
    return { id, max }
  }
}

/** The row of the workspace is locked, so two calls at once cannot both be the last one that is allowed. */
async function mustBeSeldom(alerts: Alerts, tx: Tx, spender: Spender): Promise<void> {
  const { state = null } = spender
  if (state === null) return
  const refused = whyTooOften(state, await countOf(tx, state), await limitOf(tx, state))
  if (refused !== undefined) throw new MusterError('call_limit_reached', refused)
  await alerts.many(tx, spender)
}

const noTokens = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

async function priceOf(tx: Tx, model: string): Promise<Price | undefined> {
  return (await store.ownPrice(tx, model)) ?? knownPrice(model)
}

/**
 * Ends a reservation with what the call took; null: nobody knows, so it counts with its maximum. Once: a second time
 * changes nothing. Never more than was reserved is given back, and what was more is counted, too.
 */
async function settle(
  tx: Tx,
  id: string,
  end: { usage: Usage | null; ok: boolean },
): Promise<Recorded | undefined> {
  const reservation = await store.takeReservation(tx, id)
  if (reservation === undefined) return undefined
  const { max, goalId: _, ...call } = reservation
  const { usage } = end
  // The system, which settles what nobody else did, has no business with prices.
  const price = usage === null ? undefined : await priceOf(tx, call.model)
  const cost = usage === null || price === undefined ? max : costOf(price, usage)
  await store.addTo(tx, reservation, { reserved: -max, spent: cost })
  await store.insertCall(tx, {
    ...call,
    ...(usage ?? noTokens),
    state: reservation.state,
    costClass: 'api',
    cost,
    saved: 0,
    ok: end.ok,
    isMaximum: usage === null,
  })
  return { cost, saved: 0 }
}
