import { z } from 'zod'
import {
  budget,
  budgetSet,
  callCounts,
  callLimitSet,
  costQuery,
  costReport,
  price,
  priceList,
  priceSet,
} from './costs.ts'
import { modelName } from './loop.ts'
import type { Route } from './route.ts'

/** What models cost, and how much they may. */
export const costRoutes = {
  getCosts: {
    method: 'GET',
    path: '/api/v1/costs',
    summary: 'What calls of models cost, by task, agent, model or day, and what is left of the budget',
    who: 'person',
    query: costQuery,
    status: 200,
    response: costReport,
  },
  setBudget: {
    method: 'POST',
    path: '/api/v1/costs/budget',
    summary:
      'Limit what all calls of this workspace, or those of one worker, may cost together, or end the limit',
    who: 'person',
    body: budgetSet,
    status: 200,
    response: budget,
  },
  getCalls: {
    method: 'GET',
    path: '/api/v1/costs/calls',
    summary: 'How often models were asked lately, and how often the hub may ask for itself',
    who: 'person',
    status: 200,
    response: callCounts,
  },
  setCallLimit: {
    method: 'POST',
    path: '/api/v1/costs/calls',
    summary: 'Limit how often the hub asks for itself in one of its states',
    who: 'person',
    body: callLimitSet,
    status: 200,
    response: callCounts,
  },
  listPrices: {
    method: 'GET',
    path: '/api/v1/prices',
    summary: 'Prices that calls are reserved and settled with; a model without one is refused',
    who: 'person',
    status: 200,
    response: priceList,
  },
  setPrice: {
    method: 'POST',
    path: '/api/v1/prices',
    summary: 'Say what a model costs in this workspace',
    who: 'person',
    body: priceSet,
    status: 200,
    response: price,
  },
  removePrice: {
    method: 'DELETE',
    path: '/api/v1/prices/:model',
    summary: 'Forget a price of this workspace; that of the table counts again, where there is one',
    who: 'person',
    params: z.strictObject({ model: modelName }),
    status: 200,
    response: z.object({ ok: z.literal(true) }),
  },
} as const satisfies Record<string, Route>
