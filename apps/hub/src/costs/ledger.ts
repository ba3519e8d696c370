import type { CostGroup, Spent } from '@muster/contract/costs'
import type { Tx } from '../kernel/db.ts'

const sums = `count(*)::int as calls, (count(*) filter (where not ok))::int as failed,
  coalesce(sum(input_tokens), 0)::float8 as "inputTokens", coalesce(sum(output_tokens), 0)::float8 as "outputTokens",
  coalesce(sum(cache_read_tokens), 0)::float8 as "cacheReadTokens",
  coalesce(sum(cache_write_tokens), 0)::float8 as "cacheWriteTokens",
  coalesce(sum(cost_microusd), 0)::float8 / 1000000 as "costUsd",
  coalesce(sum(saved_microusd), 0)::float8 / 1000000 as "savedUsd"`

const keyOf: Record<CostGroup, string> = {
  task: `coalesce(task_id::text, 'hub')`,
  agent: 'agent',
  model: 'model',
  worker: `coalesce(worker, 'hub')`,
  day: `to_char(at at time zone 'UTC', 'YYYY-MM-DD')`,
}

export type Span = { since: Date; until: Date }

/** What was asked for, by the database's clock where it was not said. */
export async function spanOf(tx: Tx, since: string | undefined, until: string | undefined): Promise<Span> {
  const [span] = await tx.query<Span>(
    `select coalesce($1::timestamptz, now() - interval '30 days') as since, coalesce($2::timestamptz, now()) as until`,
    [since ?? null, until ?? null],
  )
  return span as Span
}

/** Of the workspace of the transaction; at most `limit` groups, the dearest first, days newest first. */
export function spentBy(tx: Tx, by: CostGroup, { since, until }: Span, limit: number) {
  return tx.query<Spent & { key: string }>(
    `select ${keyOf[by]} as key, ${sums} from calls where at >= $1 and at < $2
     group by 1 order by ${by === 'day' ? 'key desc' : '"costUsd" desc, "savedUsd" desc, key'} limit $3`,
    [since, until, limit],
  )
}

/** US dollars a day, over the last seven, or over as many as there have been calls, but not less than one. */
export async function paceOf(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ cost: number; days: number }>(
    `select coalesce(sum(cost_microusd), 0)::float8 / 1000000 as cost,
       greatest(1, coalesce(extract(epoch from now() - min(at)) / 86400, 1))::float8 as days
     from calls where at > now() - interval '7 days'`,
  )
  return row === undefined ? 0 : row.cost / row.days
}

export async function totals(tx: Tx, { since, until }: Span): Promise<{ tasks: Spent; hub: Spent }> {
  const of = async (purpose: 'task' | 'hub') => {
    const [row] = await tx.query<Spent>(
      `select ${sums} from calls where at >= $1 and at < $2 and purpose = $3`,
      [since, until, purpose],
    )
    return row as Spent
  }
  return { tasks: await of('task'), hub: await of('hub') }
}
