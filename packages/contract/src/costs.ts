import { z } from 'zod'
import { modelName } from './loop.ts'
import { slugName, timestamp } from './text.ts'

export const costGroups = ['task', 'agent', 'model', 'worker', 'day'] as const
export type CostGroup = (typeof costGroups)[number]

export const costQuery = z.strictObject({
  by: z.enum(costGroups).default('task'),
  /** 30 days ago, if not said. */
  since: timestamp.optional(),
  /** Not including it. */
  until: timestamp.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

const spent = z.object({
  calls: z.int(),
  /** Calls that ended without an answer. */
  failed: z.int(),
  /** All of the input, the cached part too. */
  inputTokens: z.int(),
  outputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWriteTokens: z.int(),
  /** US dollars. */
  costUsd: z.number(),
  /** What a paid model of the tier would have cost for what a local one did. */
  savedUsd: z.number(),
})
export type Spent = z.infer<typeof spent>

export const budget = z.object({
  /** Null: no limit. */
  limitUsd: z.number().nullable(),
  /** Since the workspace began. */
  spentUsd: z.number(),
  /** The most that calls under way may cost. */
  reservedUsd: z.number(),
  leftUsd: z.number().nullable(),
})
export type Budget = z.infer<typeof budget>

export const costReport = z.object({
  by: z.enum(costGroups),
  since: timestamp,
  until: timestamp,
  /** The dearest first; days newest first. */
  items: z.array(
    spent.extend({
      /** The id of the task, the name of the agent, the model or the worker, or the day in UTC; `hub` for what belongs to no task. */
      key: z.string(),
    }),
  ),
  /** Calls for tasks. */
  tasks: spent,
  /** Calls that the hub made for itself. */
  hub: spent,
  budget,
  /** If it goes on as in the last seven days. */
  forecast: z.object({
    perDayUsd: z.number(),
    per30DaysUsd: z.number(),
    /** Null: no limit, or nothing is spent. */
    budgetLastsDays: z.number().nullable(),
  }),
})
export type CostReport = z.infer<typeof costReport>

/** What the hub is doing when it asks a model for itself and not for a task. */
export const hubStates = ['executing', 'improving', 'contemplating'] as const
export type HubState = (typeof hubStates)[number]

const counted = z.object({
  /** In the last 60 minutes, those under way too. */
  hour: z.int(),
  /** In the last 24 hours. */
  day: z.int(),
})

export const callCounts = z.object({
  items: z.array(
    counted.extend({
      state: z.enum(hubStates),
      /** At most so many are made; the next one is refused. */
      perHour: z.int(),
      perDay: z.int(),
    }),
  ),
  /** Calls that the hub made for itself. */
  hub: counted,
  tasks: counted,
})
export type CallCounts = z.infer<typeof callCounts>

export const callLimitSet = z.strictObject({
  state: z.enum(hubStates),
  perHour: z.int().min(0).max(100_000),
  perDay: z.int().min(0).max(1_000_000),
})

// Sums are kept in whole millionths: a smaller price would become nothing, and unknown is not free.
const dollars = z.number().min(0).max(1_000_000).multipleOf(0.000_001)

export const budgetSet = z.strictObject({
  limitUsd: dollars.nullable(),
  /** Of what this worker's runs may spend; absent: of all calls of the workspace. */
  worker: slugName.optional(),
})

/** US dollars per million tokens. */
export const price = z.object({
  model: z.string(),
  inputUsd: z.number(),
  outputUsd: z.number(),
  cacheReadUsd: z.number(),
  cacheWriteUsd: z.number(),
  /** Whether this workspace set it; otherwise it is of the table that Muster brings. */
  own: z.boolean(),
})
export type Price = z.infer<typeof price>

export const priceSet = z.strictObject({
  model: modelName,
  inputUsd: dollars,
  outputUsd: dollars,
  /** As the input, if not said. */
  cacheReadUsd: dollars.optional(),
  cacheWriteUsd: dollars.optional(),
})
export type PriceSet = z.infer<typeof priceSet>

export const priceList = z.object({
  items: z.array(price),
  /** The day on which the table that Muster brings was written. */
  tableOf: z.string(),
})
