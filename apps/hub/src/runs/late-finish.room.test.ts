import { expect, test } from 'vitest'
import type { Db, Tx } from '../kernel/db.ts'
import { atEndOfTest, hubDatabase } from '../../test-support/database.ts'
import { failed, openDb, openRooms } from '../../test-support/rooms.ts'

/** Lets something happen once, before the lease is locked by a statement for one run; the statements keep their order. */
function beforeLock(db: Db, happen: () => Promise<void>): Db {
  let isOver = false
  const watched = (tx: Tx): Tx => {
    let last: Promise<unknown> = Promise.resolve()
    return {
      ...tx,
      query(statement, values) {
        const mine = last.then(async () => {
          if (!isOver && typeof statement !== 'string' && statement.name === 'tasks_hold_lease') {
            isOver = true
            await happen()
          }
          return tx.query<never>(statement, values)
        })
        last = mine.catch(() => {})
        return mine
      },
    }
  }
  return { ...db, inWorkspace: (id, work) => db.inWorkspace(id, (tx) => work(watched(tx))) }
}

test('a result whose lease is swept at the moment it comes counts as late and is not thrown away', async () => {
  const database = await hubDatabase()
  const sweeper = await openRooms({ database })
  let isSwept = false
  const db = beforeLock(openDb(database, atEndOfTest), async () => {
    await sweeper.runs.sweep()
    isSwept = true
  })
  const rooms = await openRooms({ database, db })
  const worker = await rooms.worker('w')
  // With a try left its end is not one of the plain ones, which lock everything at once.
  const { id } = await rooms.submit({ retries: 1 })
  const lease = await rooms.claim(worker)
  if (lease === undefined) throw new Error('nothing was claimed')
  const { taskId, epoch, runId } = lease
  await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 ms'`)
  await rooms.say(worker, { type: 'finish', id: 1, taskId, epoch, runId, result: failed() })
  expect(isSwept).toBe(true)
  expect(await rooms.get(id)).toMatchObject({ state: 'queued', failures: 1 })
  expect(await rooms.sql('select ending from runs')).toEqual([{ ending: 'execution_failed' }])
  const kinds = await rooms.sql<{ kind: string }>(
    `select kind from events where kind in ('task.requeued', 'task.late_result', 'task.retrying') order by seq`,
  )
  expect(kinds.map(({ kind }) => kind)).toEqual(['task.requeued', 'task.late_result', 'task.retrying'])
})
