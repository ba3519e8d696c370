import type { Db, Statement, Tx } from './db.ts'

/**
 * Periodic work that crosses workspaces, on any number of hubs: each tick happens once, and one hub owns the work.
 *
 * Time is cut into ticks of one period by the database's clock: tick n is the n-th period since 1970. A firing is one
 * transaction that takes or keeps the lease of the duty, writes the tick into the ledger and does the work.
 *
 *   the ledger   makes it once: (name, tick) is unique, and the row is committed with the work or not at all.
 *   the lease    makes it one owner: while it lasts no other hub fires, so the work wanders to another machine only when
 *                its owner is gone. It outlasts the period by `graceMs`: a tick of a dead owner is late by that much at
 *                most, and none is lost as long as the period is longer than that.
 *   the lock     is the fence: the row of the lease stays locked from the take to the commit. A hub that froze before
 *                the take finds the lease gone when it wakes. One that froze behind it keeps everybody out until the
 *                database ends its session after `graceMs` (idle in transaction); what it sends then is refused, and
 *                nothing of its firing is there.
 *   the epoch    is raised by each take-over and written into the ledger, so that anybody can check all this: one hub
 *                for each epoch, and epochs that never fall.
 *
 * A tick that nobody fired within its period is skipped and not caught up: every duty looks at what the database says
 * now, so two firings in a row would do nothing that one does not.
 *
 * Work that fails takes its firing back and is tried again within the same tick. It takes the renewed lease back too: a
 * hub on which the work never succeeds loses it to another.
 *
 * Should the database's clock be set back, ticks that have happened are not fired again until it is where it was, or
 * the ledger has forgotten them; a lease that by then has more than twice its length to go does not count.
 */
export type Duty = { name: string; everyMs: number; work: (tx: Tx) => Promise<void> }

export type Duties = ReturnType<typeof createDuties>

/** `graceMs`: long enough for a pause of the hub or its network, and at most this long nobody does the work. */
export function createDuties({
  db,
  hubId,
  duties: all = [],
  graceMs = 10_000,
}: {
  db: Db
  hubId: string
  duties?: Duty[]
  graceMs?: number
}) {
  return {
    due,
    fire,

    /** Fires what is due, one after the other; one that fails holds up none of the others. */
    async round(onError: (what: string) => (error: unknown) => void): Promise<void> {
      for (const duty of await due(all)) {
        await fire(duty).catch(onError(`${duty.name} failed; it is tried again`))
      }
    },

    /** A hub that stops says so, and the next one need not wait for its leases to end. */
    async release(): Promise<void> {
      await db.askAsSystem(release, [hubId])
    },
  }

  /** Those whose tick has not happened yet and is not another hub's: one cheap look for all of them. */
  async function due(duties: Duty[]): Promise<Duty[]> {
    const [names, periods] = [duties.map((duty) => duty.name), duties.map((duty) => duty.everyMs)]
    const open = await db.askAsSystem<{ name: string }>(look, [names, periods, hubId, graceMs])
    return duties.filter((duty) => open.some((row) => row.name === duty.name))
  }

  /** Fires the tick of now. False when it has happened already or belongs to another hub. */
  function fire({ name, everyMs, work }: Duty): Promise<boolean> {
    const leaseMs = everyMs + graceMs
    return db.asSystem(async (tx) => {
      await tx.query(limitIdle, [`${graceMs}ms`])
      let [lease] = await tx.query<{ epoch: number }>(take, [name, hubId, leaseMs])
      if (lease === undefined) {
        // Locked, another hub's, or fired for the first time ever.
        await tx.query(add, [name])
        ;[lease] = await tx.query<{ epoch: number }>(take, [name, hubId, leaseMs])
      }
      if (lease === undefined) return false
      const fired = await tx.query(enter, [name, everyMs, hubId, lease.epoch])
      if (fired.length > 0) await work(tx)
      return fired.length > 0
    })
  }
}

/** Forgets ticks of more than a day ago, a bounded number at a time. A day of all duties is 25,000 rows. */
export async function forgetFirings(tx: Tx): Promise<void> {
  await tx.query(
    `delete from duty_firings where (name, tick) in (
       select name, tick from duty_firings where fired_at < now() - interval '1 day' order by fired_at limit 10000)`,
  )
}

const tickOf = (everyMs: string) => `floor(extract(epoch from clock_timestamp()) * 1000 / ${everyMs})::bigint`

// $1 names, $2 periods in ms, $3 hub, $4 grace in ms.
const look: Statement = {
  name: 'duties_look',
  text: `select w.name from unnest($1::text[], $2::float8[]) as w (name, every_ms)
         left join duties d on d.name = w.name
         where (d.name is null or d.owner_hub = $3 or d.lease_expires_at < clock_timestamp()
                or d.lease_expires_at > clock_timestamp() + make_interval(secs => (w.every_ms + $4::float8) / 1000 * 2))
           and not exists (select 1 from duty_firings f where f.name = w.name and f.tick = ${tickOf('w.every_ms')})`,
}

const limitIdle: Statement = {
  name: 'duties_limit_idle',
  text: `select set_config('idle_in_transaction_session_timeout', $1, true)`,
}

/**
 * $1 name, $2 hub, $3 lease in ms. By the clock and not by the start of the transaction, which may be older than what
 * another hub has committed since. SKIP LOCKED: who is firing at this moment is not waited for.
 */
const take: Statement = {
  name: 'duties_take',
  text: `update duties
         set owner_hub = $2, epoch = epoch + case when owner_hub = $2 then 0 else 1 end,
           lease_expires_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000)
         where name = (
           select name from duties
           where name = $1 and (owner_hub = $2 or lease_expires_at < clock_timestamp()
             or lease_expires_at > clock_timestamp() + make_interval(secs => $3::float8 / 1000 * 2))
           for update skip locked)
         returning epoch`,
}

const add: Statement = {
  name: 'duties_add',
  text: 'insert into duties (name) values ($1) on conflict do nothing',
}

const enter: Statement = {
  name: 'duties_enter',
  text: `insert into duty_firings (name, tick, hub, epoch) values ($1, ${tickOf('$2::float8')}, $3, $4)
         on conflict do nothing returning tick`,
}

const release: Statement = {
  name: 'duties_release',
  text: `update duties set lease_expires_at = '-infinity' where owner_hub = $1 and lease_expires_at > now()`,
}
