import type { BulkResult, TaskSelection } from '@muster/contract/queue'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'

const fitting = {
  name: 'tasks_dead_fitting',
  text: `select id from tasks
         where state = 'dead' and ending <> 'verified' and ($1::text is null or ending = $1) and ($2::text is null or repo = $2)
         order by id limit $3`,
}

/**
 * One verb on many ended tasks, each in a part of the transaction of its own: a refused one does not stop the
 * others, and the answer names both.
 */
export async function onEach(
  tx: Tx,
  selection: TaskSelection,
  verb: (id: string) => Promise<unknown>,
): Promise<BulkResult> {
  const { ids, ending = null, repo = null, limit } = selection
  const wanted =
    ids ?? (await tx.query<{ id: string }>(fitting, [ending, repo, limit + 1])).map((row) => row.id)
  const result: BulkResult = { changed: [], refused: [], more: ids === undefined && wanted.length > limit }
  for (const id of ids ?? wanted.slice(0, limit)) {
    await tx.query('savepoint one')
    try {
      await verb(id)
      result.changed.push(id)
    } catch (error) {
      if (!(error instanceof MusterError) || error.status >= 500) throw error
      await tx.query('rollback to savepoint one')
      result.refused.push({ id, code: error.code, message: error.message })
    }
    await tx.query('release savepoint one')
  }
  return result
}
