import type { Budget, CostGroup, CostReport, Spent } from '@muster/contract/costs'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import { dollars } from '../option-values.ts'

type CostOptions = { by?: CostGroup; since?: string; until?: string; limit?: number }

export const showCosts: Command<CostOptions> = async ({ output, ...context }, options) => {
  const hub = await context.hub()
  const { by = 'task', since, until, limit } = options
  const found = await hub.call('getCosts', { query: { by, since, until, limit } })
  if (output.json) {
    output.document(found)
    return 0
  }
  if (found.items.length === 0) output.note(`No calls of models since ${found.since.slice(0, 10)}.`)
  else {
    output.table(
      [
        { name: by, cut: true },
        { name: 'calls' },
        { name: 'input', drop: 2 },
        { name: 'output', drop: 2 },
        { name: 'cost' },
        { name: 'saved', drop: 1 },
      ],
      found.items.map((row) => [by === 'task' ? shortOf(row.key) : row.key, ...cells(row)]),
    )
    if (found.items.length === (limit ?? 100)) output.note('There may be more: --limit 500')
  }
  const { tasks, hub: own, budget, forecast } = found
  output.note(
    `Tasks: ${usd(tasks.costUsd)} in ${tasks.calls} calls, ${usd(tasks.savedUsd)} saved by local models.`,
  )
  output.note(`The hub itself: ${usd(own.costUsd)} in ${own.calls} calls.`)
  output.note(budgetWords(budget))
  if (forecast.perDayUsd > 0) output.note(forecastWords(forecast))
  return 0
}

function forecastWords({ perDayUsd, per30DaysUsd, budgetLastsDays }: CostReport['forecast']): string {
  const pace = `At the pace of the last 7 days: ${usd(perDayUsd)} a day, ${usd(per30DaysUsd)} in 30 days`
  if (budgetLastsDays === null) return `${pace}.`
  const days = Math.floor(budgetLastsDays)
  return `${pace}; what is left lasts ${days === 1 ? '1 day' : `${days} days`}.`
}

export const setBudget: Command<{ worker?: string }, [string]> = async (
  { output, ...context },
  { worker },
  word,
) => {
  const limitUsd = word === 'none' ? null : inDollars(word)
  const hub = await context.hub()
  const budget = await hub.call('setBudget', {
    body: { limitUsd, ...(worker === undefined ? {} : { worker }) },
  })
  if (output.json) output.document(budget)
  else {
    output.note(budgetWords(budget))
    if (budget.leftUsd === 0) output.note('Nothing is left: no paid call is made until the limit is raised.')
  }
  return 0
}

export const listPrices: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const found = await hub.call('listPrices', {})
  if (output.json) {
    output.document(found)
    return 0
  }
  output.table(
    [
      { name: 'model', cut: true },
      { name: 'input' },
      { name: 'output' },
      { name: 'cache read', drop: 1 },
      { name: 'cache write', drop: 1 },
      { name: 'from', drop: 2 },
    ],
    found.items.map((price) => [
      price.model,
      String(price.inputUsd),
      String(price.outputUsd),
      String(price.cacheReadUsd),
      String(price.cacheWriteUsd),
      price.own ? 'this workspace' : `table of ${found.tableOf}`,
    ]),
  )
  output.note('US dollars per million tokens. A price of this workspace is for that model only;')
  output.note('a name of the table also stands for longer ones that begin with it and a dash.')
  return 0
}

type PriceOptions = { cacheRead?: number; cacheWrite?: number }

export const setPrice: Command<PriceOptions, [string, string, string]> = async (
  { output, ...context },
  { cacheRead, cacheWrite },
  model,
  input,
  out,
) => {
  const body = { model, inputUsd: inDollars(input), outputUsd: inDollars(out) }
  const hub = await context.hub()
  const price = await hub.call('setPrice', {
    body: {
      ...body,
      ...(cacheRead === undefined ? {} : { cacheReadUsd: cacheRead }),
      ...(cacheWrite === undefined ? {} : { cacheWriteUsd: cacheWrite }),
    },
  })
  if (output.json) output.document(price)
  else output.note(`${model} costs $${price.inputUsd} in and $${price.outputUsd} out per million tokens.`)
  return 0
}

export const removePrice: Command<object, [string]> = async ({ output, ...context }, _options, model) => {
  const hub = await context.hub()
  const done = await hub.call('removePrice', { params: { model } })
  if (output.json) output.document(done)
  else output.note(`The price of ${model} is the table's again, if it has one.`)
  return 0
}

function inDollars(word: string): number {
  try {
    return dollars(word)
  } catch (error) {
    throw new Failure('usage', `"${word}" is no sum.`, (error as Error).message, 2)
  }
}

function budgetWords({ limitUsd, spentUsd, reservedUsd, leftUsd }: Budget): string {
  if (limitUsd === null || leftUsd === null) {
    return `Budget: no limit; ${usd(spentUsd)} spent. To set one: npx muster cost budget 20`
  }
  const reserved = reservedUsd === 0 ? '' : `, ${usd(reservedUsd)} reserved by calls under way`
  return `Budget: ${usd(spentUsd)} of ${usd(limitUsd)} spent${reserved}, ${usd(leftUsd)} left.`
}

const cells = (row: Spent) => [
  row.failed === 0 ? String(row.calls) : `${row.calls} (${row.failed} failed)`,
  String(row.inputTokens),
  String(row.outputTokens),
  usd(row.costUsd),
  usd(row.savedUsd),
]

/** As tasks are named everywhere else. */
const shortOf = (key: string) => key.slice(-8)

// Small sums are what single calls cost, so they are not rounded away.
const usd = (sum: number) => `$${sum === 0 || sum >= 1 ? sum.toFixed(2) : sum.toFixed(6)}`
