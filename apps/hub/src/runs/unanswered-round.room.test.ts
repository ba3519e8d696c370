import { expect, test } from 'vitest'
import type { Db } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import { atEndOfTest, hubDatabase } from '../../test-support/database.ts'
import { openDb, openRooms } from '../../test-support/rooms.ts'

type Break = 'before' | 'after' | 'never'

/** A hub with a free worker and a waiting task, whose connection can break before or after a round is committed. */
async function hubThatBreaks() {
  const database = await hubDatabase()
  let when: Break = 'never'
  const gone = () => new MusterError('database_unavailable', 'The connection is gone.')
  const breaking = (db: Db): Db => ({
    ...db,
    async inWorkspace(id, work) {
      const before = when === 'before'
      const answer = await db.inWorkspace(id, async (tx) => {
        const result = await work(tx)
        if (before) throw gone()
        return result
      })
      if (when === 'after') throw gone()
      return answer
    },
  })
  const rooms = await openRooms({ database, db: breaking(openDb(database, atEndOfTest)) })
  const worker = await rooms.worker('w')
  rooms.agents.connections.add(worker.connection)
  const { id } = await rooms.submit()
  const breakRound = async (now: Break) => {
    when = now
    await expect(rooms.assign()).rejects.toMatchObject({ code: 'database_unavailable' })
    when = 'never'
  }
  const told = () => worker.sent as { type: string; assignment: { runId: string; timeoutMs: number } }[]
  return { rooms, worker, id, breakRound, told }
}

test('what was given out by a round whose commit was not answered is told in the next one, once', async () => {
  const { rooms, worker, id, breakRound, told } = await hubThatBreaks()
  await breakRound('after')
  expect(told()).toEqual([])
  expect(await rooms.get(id)).toMatchObject({ state: 'assigned', attempt: 1 })
  await rooms.assign()
  await rooms.assign()
  const runs = await rooms.sql<{ id: string }>('select id from runs')
  expect(told().map(({ type, assignment }) => [type, assignment.runId])).toEqual([['assign', runs[0]?.id]])
  expect(told()[0]?.assignment.timeoutMs).toBeGreaterThan(0)
  const { epoch } = await rooms.get(id)
  await rooms.say(worker, { type: 'accept', id: 1, taskId: id, epoch })
})

test('what a round did not commit is given out anew and told once', async () => {
  const { rooms, id, breakRound, told } = await hubThatBreaks()
  await breakRound('before')
  expect(await rooms.get(id)).toMatchObject({ state: 'queued', attempt: 0 })
  await rooms.assign()
  await rooms.assign()
  expect(told()).toHaveLength(1)
  expect(await rooms.get(id)).toMatchObject({ state: 'assigned', attempt: 1 })
})

test('a worker that is away is told when it is back, and nothing of a lease that ended meanwhile', async () => {
  const { rooms, worker, id, breakRound, told } = await hubThatBreaks()
  await breakRound('after')
  rooms.agents.connections.remove(worker.connection)
  await rooms.assign()
  rooms.agents.connections.add(worker.connection)
  await rooms.assign()
  expect(told()).toHaveLength(1)

  await rooms.cancel(id)
  await rooms.submit()
  await breakRound('after')
  await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 ms'`)
  await rooms.runs.sweep()
  await rooms.sql(`update task_queue set not_before = now() + interval '1 hour'`)
  await rooms.assign()
  expect(told().filter(({ type }) => type === 'assign')).toHaveLength(1)
})
