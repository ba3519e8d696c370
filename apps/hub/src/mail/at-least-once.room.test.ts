import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { speaker } from '../../test-support/mail.ts'
import { openRooms, type Rooms } from '../../test-support/rooms.ts'

type Step = 'post' | 'broadcast' | 'ack' | 'read' | 'reconnect' | 'deliver'
const step = fc.tuple(
  fc.constantFrom<Step>('post', 'post', 'broadcast', 'ack', 'read', 'reconnect', 'deliver', 'deliver'),
  fc.constantFrom(0, 1),
)
/** Steps of one group happen at once. */
const program = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 14 })

let runs = 0

/** Bob hears of what two others post at two hubs, as a program of steps would have it, and says in which order. */
async function play(hubs: [Rooms, Rooms], groups: [Step, number][][]) {
  const name = (who: string) => `${who}-${runs}`
  runs += 1
  const others = [await speaker(hubs[0], name('ann')), await speaker(hubs[1], name('eve'))] as const
  const bobs = [await speaker(hubs[0], name('bob')), await speaker(hubs[1], name('bob'))] as const
  const posted = new Set<string>()
  const seen: { cursor: number; dropped: number; text: string }[] = []
  let at = 0
  let heard = 0
  /** What came over the connection since it was looked at last. */
  const listen = () => {
    const pushed = bobs[at as 0 | 1].pushed()
    for (const push of pushed.slice(heard)) seen.push({ ...push, text: push.message.text })
    heard = pushed.length
  }
  const reconnect = (to: number) => {
    listen()
    bobs[at as 0 | 1].disconnect(hubs[at as 0 | 1])
    at = to
    heard = 0
    bobs[at as 0 | 1].connect(hubs[at as 0 | 1])
  }
  reconnect(0)
  const take = async ([what, side]: [Step, number]) => {
    const n = side as 0 | 1
    if (what === 'post' || what === 'broadcast') {
      const text = `${n}-${posted.size}`
      posted.add(text)
      await others[n].tell(what === 'post' ? name('bob') : null, text)
    } else if (what === 'deliver') await hubs[n].mail.deliver()
    else if (what === 'reconnect') reconnect(n)
    else if (what === 'ack') {
      listen()
      // Only what was received, as a client that has lived on since would.
      await bobs[n].ack(Math.max(0, ...seen.map((push) => push.cursor)))
    } else {
      const { items, dropped } = await bobs[n].read({ limit: 5 })
      listen()
      for (const { cursor, message } of items) seen.push({ cursor, dropped, text: message.text })
    }
  }
  for (const group of groups) await Promise.all(group.map(take))
  reconnect(1 - at)
  await hubs[at as 0 | 1].mail.deliver()
  listen()
  // No broadcast of a later run is for them.
  await hubs[0].sql(`update workers set last_seen_at = '-infinity'`)
  return { posted, seen }
}

test('however posts, reads, acknowledgements and reconnects fall together, each message is seen and none before an older one', async () => {
  const one = await openRooms()
  const two = await openRooms({ database: one.database })
  await fc.assert(
    fc.asyncProperty(program, async (groups) => {
      const { posted, seen } = await play([one, two], groups)
      const firsts = [...new Set(seen.map((push) => push.cursor))]
      expect(firsts).toEqual(firsts.map((_, n) => n + 1))
      expect(new Set(seen.map((push) => push.text))).toEqual(posted)
      expect(seen.every((push) => push.dropped === 0)).toBe(true)
      // The counters that are kept are those that counting would find.
      const [head] = await one.sql(`select kept = (select count(*) from messages) as right from mail_heads`)
      if (posted.size > 0) expect(head).toEqual({ right: true })
    }),
    { numRuns: 40, endOnFailure: true },
  )
})
