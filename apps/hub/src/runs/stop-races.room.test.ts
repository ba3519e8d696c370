import { eventually } from '@muster/testkit/eventually'
import { expect, test } from 'vitest'
import type { Db, Tx } from '../kernel/db.ts'
import { atEndOfTest, hubDatabase } from '../../test-support/database.ts'
import { openDb, openRooms, type Rooms, type TestWorker } from '../../test-support/rooms.ts'

const why = 'Stopped.'
type Within = Parameters<Rooms['inWorkspace']>[0]

/** What the routes do, each in one transaction. */
const stops: Record<string, (rooms: Rooms) => Within> = {
  'of one worker': (rooms) => async (tx) => {
    const id = await rooms.agents.cordon(tx, rooms.person, 'w', why)
    await rooms.runs.stop(tx, rooms.person, { id }, why)
  },
  'of everything': (rooms) => async (tx) => {
    await rooms.tasks.queue.pause(tx, rooms.person)
    await rooms.runs.stop(tx, rooms.person, null, why)
  },
}

const leased = (rooms: Rooms) => rooms.sql('select worker_id from task_queue where worker_id is not null')
const isWaiting = async (rooms: Rooms) =>
  (
    await rooms.sql(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
  ).length > 0

async function withWaitingTask() {
  const database = await hubDatabase()
  const rooms = await openRooms({ database })
  const worker = await rooms.worker('w')
  // Present, and then without a lease.
  await rooms.submit()
  const lease = await rooms.claim(worker)
  rooms.agents.connections.add(worker.connection)
  if (lease === undefined) throw new Error('nothing was claimed')
  await rooms.cancel(lease.taskId)
  await rooms.submit()
  return { rooms, worker, database }
}

test.for(Object.entries(stops))(
  'a round that comes while a stop %s is under way gives nothing to whom it stops',
  async ([, stop]) => {
    const { rooms } = await withWaitingTask()
    let round: Promise<void> = Promise.resolve()
    await rooms.inWorkspace(async (tx) => {
      await stop(rooms)(tx)
      let isOver = false
      round = rooms.assign().finally(() => (isOver = true))
      await eventually(async () => isOver || (await isWaiting(rooms)))
    })
    await round
    expect(await leased(rooms)).toEqual([])
  },
)

test.for(Object.entries(stops))(
  'a stop %s that comes while a round is under way takes back what the round gives',
  async ([, stop]) => {
    const { rooms, worker, database } = await withWaitingTask()
    const held = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const db = holdBeforeCommit(openDb(database, atEndOfTest), 'tasks_lease_many', async () => {
      reached.resolve()
      await held.promise
    })
    const hub = await otherHubWith(database, db, worker)
    const round = hub.assign()
    await reached.promise
    let isOver = false
    const stopping = rooms.inWorkspace(stop(rooms)).finally(() => (isOver = true))
    await eventually(async () => isOver || (await isWaiting(rooms)))
    held.resolve()
    await Promise.all([round, stopping])
    expect(await leased(rooms)).toEqual([])
    expect(await rooms.sql('select ending from runs where ending is null')).toEqual([])
  },
)

test('workers that are stopped one after the other while two hubs assign all the time hold nothing afterwards', async () => {
  const database = await hubDatabase()
  const limits = { maxRunning: 1_000 }
  const hubs = [await openRooms({ database, limits }), await openRooms({ database, limits })] as const
  const names = ['a', 'b', 'c', 'd']
  for (const [at, name] of names.entries()) {
    const hub = hubs[at % 2] as Rooms
    hub.agents.connections.add((await hub.worker(name, 20)).connection)
  }
  for (let n = 0; n < 100; n++) await hubs[0].submit({ title: `task ${n}` })
  const over = new AbortController()
  const assigning = hubs.map(async (hub) => {
    while (!over.signal.aborted) await hub.assign()
  })
  // Each stop takes something back, so that the next round has something to give.
  for (const name of names) {
    await eventually(async () => (await heldBy(hubs[0], name)) > 0)
    const id = await hubs[0].inWorkspace(async (tx) => {
      const worker = await hubs[0].agents.cordon(tx, hubs[0].person, name, why)
      await hubs[0].runs.stop(tx, hubs[0].person, { id: worker }, why)
      return worker
    })
    expect(await hubs[0].sql('select 1 from task_queue where worker_id = $1', [id])).toEqual([])
  }
  over.abort()
  await Promise.all(assigning)
  expect(await leased(hubs[0])).toEqual([])
})

async function heldBy(rooms: Rooms, name: string): Promise<number> {
  const rows = await rooms.sql(
    'select 1 from task_queue q join workers w on w.id = q.worker_id where w.name = $1',
    [name],
  )
  return rows.length
}

/** Its own connections and its own rounds, with this worker at it. */
async function otherHubWith(database: Rooms['database'], db: Db, worker: TestWorker): Promise<Rooms> {
  const hub = await openRooms({ database, db })
  const { connection } = await hub.worker(worker.connection.name)
  hub.agents.connections.add(connection)
  return hub
}

/** Something happens between this statement and whatever comes after it in its transaction. */
function holdBeforeCommit(db: Db, name: string, happen: () => Promise<void>): Db {
  const watched = (tx: Tx): Tx => ({
    ...tx,
    async query(statement, values) {
      const rows = await tx.query<never>(statement, values)
      if (typeof statement !== 'string' && statement.name === name) await happen()
      return rows
    },
  })
  return { ...db, inWorkspace: (id, work) => db.inWorkspace(id, (tx) => work(watched(tx))) }
}
