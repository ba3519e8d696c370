import { costGroups, hubStates } from '@muster/contract/costs'
import { Option, type Command } from 'commander'
import type { Define, Does } from './define.ts'
import { atMost, dollars, past } from './option-values.ts'

/** What models cost, and how much they may. */
export function addCostCommands(root: Command, define: Define, does: Does): void {
  const cost = define(root, 'cost', 'what calls of models cost, and what is left of the budget', [
    'npx muster cost --by model',
    'npx muster cost --since 7d --json',
  ])
    .addOption(new Option('--by <what>', 'one line for each').choices([...costGroups]).default('task'))
    .option('--since <time>', 'a time, or how long ago; default 30d', past)
    .option('--until <time>', 'a time, or how long ago; default now', past)
    .option('--limit <n>', 'at most so many lines; default 100', atMost(500))
  does(cost, async () => (await import('./commands/cost.ts')).showCosts)
  const budget = define(
    cost,
    'budget <usd>',
    'limit what all calls of the workspace may cost; "none" ends that',
    ['npx muster cost budget 20', 'npx muster cost budget 5 --worker box-2', 'npx muster cost budget none'],
  ).option('--worker <name>', 'limit what the runs of this worker may cost')
  does(budget, async () => (await import('./commands/cost.ts')).setBudget)
  const calls = define(
    cost,
    'calls',
    'how often models were asked lately, and how often the hub may ask for itself',
    ['npx muster cost calls', 'npx muster cost calls --json'],
  )
  does(calls, async () => (await import('./commands/cost-calls.ts')).showCalls)
  const limit = define(
    cost,
    'limit <state> <hour> <day>',
    `how often the hub may ask for itself while it is ${hubStates.join(', ')}`,
    ['npx muster cost limit executing 20 100', 'npx muster cost limit contemplating 0 0'],
  )
  does(limit, async () => (await import('./commands/cost-calls.ts')).setCallLimit)
  addPriceCommands(cost, define, does)
}

function addPriceCommands(cost: Command, define: Define, does: Does): void {
  const price = define(cost, 'price', 'prices that calls are reserved and settled with', [
    'npx muster cost price list',
    'npx muster cost price set gpt-x 1.25 10',
  ])
  const list = define(price, 'list', 'prices of this workspace and of the table that Muster brings', [
    'npx muster cost price list',
    'npx muster cost price list --json',
  ])
  does(list, async () => (await import('./commands/cost.ts')).listPrices)
  const set = define(
    price,
    'set <model> <input> <output>',
    'say what a model costs, in US dollars per million tokens',
    ['npx muster cost price set gpt-x 1.25 10', 'npx muster cost price set gpt-x 1.25 10 --cache-read 0.125'],
  )
    .option('--cache-read <usd>', 'of input read from a cache; default: as the input', dollars)
    .option('--cache-write <usd>', 'of input written to a cache; default: as the input', dollars)
  does(set, async () => (await import('./commands/cost.ts')).setPrice)
  const remove = define(price, 'remove <model>', 'forget a price of this workspace', [
    'npx muster cost price remove gpt-x',
    'npx muster cost price remove gpt-x --json',
  ])
  does(remove, async () => (await import('./commands/cost.ts')).removePrice)
}
