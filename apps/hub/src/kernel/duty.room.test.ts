import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { atEndOfTest, hubDatabase, type HubDatabase } from '../../test-support/database.ts'
import { openDb } from '../../test-support/rooms.ts'
import type { Tx } from './db.ts'
import { createDuties, forgetFirings } from './duty.ts'
import { newId } from './ids.ts'

/** A duty whose work is seen in a table, on as many hubs as are opened. */
async function stage({ everyMs = 100, graceMs = 500 } = {}) {
  const database = await hubDatabase()
  await database.sql('create table work_done (n integer generated always as identity, hub uuid not null)')
  await database.sql('grant insert on work_done to muster_system')
  const hub = () => {
    const hubId = newId()
    const duties = createDuties({ db: openDb(database, atEndOfTest, 2), hubId, graceMs })
    const work = async (tx: Tx) => void (await tx.query('insert into work_done (hub) values ($1)', [hubId]))
    const duty = { name: 'count', everyMs, work }
    return { hubId, duties, duty, fire: (doing = work) => duties.fire({ ...duty, work: doing }) }
  }
  return { database, hub }
}

type Hub = Awaited<ReturnType<typeof stage>>['hub'] extends () => infer H ? H : never
type Firing = { tick: string; hub: string; epoch: number }

const ledger = (database: HubDatabase) =>
  database.sql<Firing>('select tick, hub, epoch from duty_firings order by tick')
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Each tick was worked once, by one hub for each epoch, and epochs never fell. */
async function mustBeSound(database: HubDatabase) {
  const fired = await ledger(database)
  const done = await database.sql<{ hub: string }>('select hub from work_done order by n')
  expect(done.map((row) => row.hub)).toEqual(fired.map((row) => row.hub))
  for (const [at, { epoch, hub }] of fired.entries()) {
    const before = fired[at - 1]
    if (before !== undefined) expect(epoch).toBeGreaterThanOrEqual(before.epoch)
    if (before?.epoch === epoch) expect(hub).toBe(before.hub)
  }
  return fired
}

async function everyMoment(hubs: Hub[], ms: number) {
  const until = performance.now() + ms
  const one = async ({ duties, duty }: Hub) => {
    while (performance.now() < until) for (const each of await duties.due([duty])) await duties.fire(each)
  }
  await Promise.all(hubs.map(one))
}

test.each([2, 5])('%i hubs that try at every moment fire each tick once, all by one owner', async (count) => {
  const { database, hub } = await stage()
  await everyMoment(
    Array.from({ length: count }, () => hub()),
    2_000,
  )
  const fired = await mustBeSound(database)
  expect(new Set(fired.map((row) => row.hub)).size).toBe(1)
  const [first, last] = [Number(fired[0]?.tick), Number(fired.at(-1)?.tick)]
  // None was left out while somebody tried all the time, but for those that this machine slept through.
  expect(last - first).toBeGreaterThan(10)
  expect(fired.length).toBeGreaterThan((last - first) * 0.7)
})

test('it is the ledger that keeps an owner from firing a tick twice', async () => {
  const { database, hub } = await stage({ everyMs: 60_000 })
  const one = hub()
  expect([await one.fire(), await one.fire()].filter(Boolean)).toHaveLength(1)
  await database.sql('delete from duty_firings')
  expect(await one.fire()).toBe(true)
})

test('when its owner is gone a duty goes to another hub within one lease, and not before', async () => {
  const { database, hub } = await stage({ everyMs: 100, graceMs: 600 })
  const [gone, next] = [hub(), hub()]
  expect(await gone.fire()).toBe(true)
  const since = performance.now()
  await everyMoment([next], 500)
  expect(await ledger(database)).toHaveLength(1)
  await everyMoment([next], 1_000)
  const fired = await mustBeSound(database)
  expect(fired.at(-1)).toMatchObject({ hub: next.hubId, epoch: 2 })
  expect(performance.now() - since).toBeGreaterThan(700)
})

test('an owner that froze in the middle of its work is ended by the database, and fires nothing when it wakes', async () => {
  const { database, hub } = await stage({ everyMs: 100, graceMs: 1_500 })
  const [frozen, next] = [hub(), hub()]
  let wakeUp = () => {}
  const sleeping = new Promise<void>((resolve) => (wakeUp = resolve))
  let started = () => {}
  const hasStarted = new Promise<void>((resolve) => (started = resolve))
  await frozen.fire()
  await next.duties.due([next.duty])
  await sleep(100)
  const firing = frozen.fire(async (tx) => {
    await tx.query('insert into work_done (hub) values ($1)', [frozen.hubId])
    started()
    await sleeping
    await tx.query('insert into work_done (hub) values ($1)', [frozen.hubId])
  })
  await hasStarted
  await everyMoment([next], 300)
  const whileFrozen = await ledger(database)
  await everyMoment([next], 2_500)
  wakeUp()
  await expect(firing).rejects.toMatchObject({ code: 'database_unavailable' })
  expect(whileFrozen).toHaveLength(1)
  const fired = await mustBeSound(database)
  expect(fired.length).toBeGreaterThan(3)
  expect(fired.filter((row) => row.hub === frozen.hubId)).toEqual(whileFrozen)
})

test('an owner that froze before it took its lease finds it gone when it wakes', async () => {
  const { database, hub } = await stage({ everyMs: 50, graceMs: 200 })
  const [frozen, next] = [hub(), hub()]
  await frozen.fire()
  await sleep(100)
  expect(await frozen.duties.due([frozen.duty])).toHaveLength(1)
  await everyMoment([next], 500)
  expect(await frozen.fire()).toBe(false)
  expect(await frozen.duties.due([frozen.duty])).toEqual([])
  expect((await mustBeSound(database)).at(-1)?.hub).toBe(next.hubId)
})

test('work that fails leaves no firing and no lease, and its tick is tried again', async () => {
  const { database, hub } = await stage({ everyMs: 3_600_000 })
  const [one, other] = [hub(), hub()]
  const fails = async (tx: Tx) => {
    await tx.query('insert into work_done (hub) values ($1)', [one.hubId])
    throw new Error('did not work')
  }
  await expect(one.fire(fails)).rejects.toThrow('did not work')
  expect(await mustBeSound(database)).toEqual([])
  expect(await other.fire()).toBe(true)
  expect(await one.fire()).toBe(false)
  expect(await mustBeSound(database)).toHaveLength(1)
})

test('a hub that stops hands its duties over at once', async () => {
  const { hub } = await stage({ everyMs: 30, graceMs: 60_000 })
  const [one, other] = [hub(), hub()]
  expect(await one.fire()).toBe(true)
  await sleep(60)
  expect(await other.fire()).toBe(false)
  await one.duties.release()
  expect(await other.fire()).toBe(true)
})

test('a tick that nobody fired is skipped', async () => {
  const { database, hub } = await stage({ everyMs: 50 })
  const one = hub()
  await one.fire()
  await sleep(400)
  await one.fire()
  expect(await mustBeSound(database)).toHaveLength(2)
})

test('a lease from a time that the clock has gone back from does not hold a duty up', async () => {
  const { database, hub } = await stage({ everyMs: 50, graceMs: 1_000 })
  const [one, other] = [hub(), hub()]
  await one.fire()
  await database.sql(`update duties set lease_expires_at = now() + interval '1 hour'`)
  await sleep(60)
  expect(await other.duties.due([other.duty])).toHaveLength(1)
  expect(await other.fire()).toBe(true)
})

test('the ledger forgets what is older than a day and nothing younger', async () => {
  const { database, hub } = await stage({ everyMs: 50 })
  const one = hub()
  await one.fire()
  await database.sql(`update duty_firings set fired_at = now() - interval '25 hours'`)
  await sleep(60)
  await one.fire()
  await openDb(database, atEndOfTest, 1).asSystem(forgetFirings)
  expect(await ledger(database)).toHaveLength(1)
})

// What a program does to one of two hubs. `lapse` is what a pause longer than a lease does.
const step = fc.record({
  first: fc.constantFrom('fire', 'fail', 'nothing'),
  second: fc.constantFrom('fire', 'fail', 'nothing'),
  after: fc.constantFrom('lapse', 'release', 'wait', 'nothing'),
})

test('whatever two hubs do at once, fail at, release or sleep through, each tick is worked once', async () => {
  const { database, hub } = await stage({ everyMs: 8, graceMs: 30 })
  const hubs = [hub(), hub()] as const
  const failing = async () => Promise.reject(new Error('planned'))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 12 }), async (steps) => {
      for (const { first, second, after } of steps) {
        const acts = [first, second].map((act, at) => {
          if (act === 'nothing') return undefined
          return hubs[at]?.fire(act === 'fail' ? failing : undefined)
        })
        await Promise.allSettled(acts)
        if (after === 'lapse')
          await database.sql(`update duties set lease_expires_at = now() - interval '1 s'`)
        if (after === 'release') await hubs[0].duties.release()
        if (after === 'wait') await sleep(10)
      }
      await mustBeSound(database)
    }),
    { numRuns: 30, endOnFailure: true },
  )
  expect(new Set((await ledger(database)).map((row) => row.hub)).size).toBe(2)
}, 60_000)
