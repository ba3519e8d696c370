import type { ChosenModel, Usage } from '@muster/contract/loop'
import type { Tier } from '@muster/contract/task-states'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import { whyRefused } from './budget.ts'
import { costOf, knownPrice, referencePrice, type Price } from './prices.ts'
import * as store from './store.ts'

export type Costs = ReturnType<typeof createCosts>
export type Spender = store.ScopeIds & { agent: string; purpose: 'task' | 'hub'; state?: string | null }
export type Recorded = { cost: number; saved: number }

// Nobody waits this long for a model; what has not been settled by then never will be.
const settledWithinSeconds = 15 * 60

/**
 * Money. A call that costs something is reserved before it is made, with the most that it can cost, along workspace → goal →
 * task → run, and settled after it with what it did cost. A hub that dies between the two leaves the reservation, which
 * is settled with its maximum later: what is not known is not free. Sums are whole millionths of a US dollar.
 */
export function createCosts() {
  return {
    priceOf,

    /**
     * Reserves for one call that takes at most so many tokens. Refuses with `price_unknown` or `budget_exhausted`, and
     * then nothing is written. Answers what `settle` needs.
     */
    async reserve(
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
      const refused = whyRefused(await store.lockBudgets(tx, spender), max)
      if (refused !== undefined) throw new MusterError('budget_exhausted', refused)
      const id = newId()
      await store.addTo(tx, spender, { reserved: max, spent: 0 })
      const { name, provider, endpoint } = model
      await store.insertReservation(tx, { ...spender, id, model: name, provider, endpoint, max })
      return { id, max }
    },

    settle,

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
    state: null,
    costClass: 'api',
    cost,
    saved: 0,
    ok: end.ok,
    isMaximum: usage === null,
  })
  return { cost, saved: 0 }
}
