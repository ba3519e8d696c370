import { mailboxSize } from '@muster/contract/messages'
import { expect, test } from 'vitest'
import { speaker, type Speaker } from '../../test-support/mail.ts'
import { openRooms, type Rooms } from '../../test-support/rooms.ts'

/** So that a test about a mailbox does not meet the limit of its sender. */
async function aMinutePasses(rooms: Rooms): Promise<void> {
  await rooms.sql(`update messages set at = at - interval '1 minute'`)
}

async function tellMany(rooms: Rooms, from: Speaker, to: string, numbers: number[]): Promise<void> {
  for (const n of numbers) {
    if (n % 50 === 0) await aMinutePasses(rooms)
    await from.tell(to, `${n}`)
  }
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n)

test('a direct message is in the mailbox of one agent, a broadcast in those of all but its sender', async () => {
  const rooms = await openRooms()
  const [ann, bob, eve] = [
    await speaker(rooms, 'ann'),
    await speaker(rooms, 'bob'),
    await speaker(rooms, 'eve'),
  ]
  const direct = await ann.tell('bob', 'for you', { data: { file: 'a.ts', '\0': ['\uD800'] } })
  const broadcast = await ann.tell(null, 'for all')
  expect(broadcast.seq).toBe(direct.seq + 1)
  const read = await bob.read()
  expect(read).toMatchObject({ dropped: 0, last: 2, texts: ['for you', 'for all'] })
  expect(read.items[0]).toEqual({
    cursor: 1,
    message: {
      id: direct.id,
      seq: direct.seq,
      from: { kind: 'worker', name: 'ann' },
      to: { kind: 'worker', name: 'bob' },
      channel: null,
      replyTo: null,
      root: direct.id,
      text: 'for you',
      data: { file: 'a.ts', '\0': ['\uD800'] },
      at: direct.at,
    },
  })
  expect(read.items[1]?.message.to).toBeNull()
  expect((await eve.read()).texts).toEqual(['for all'])
  expect((await ann.read()).texts).toEqual([])
  const { items } = await rooms.inWorkspace(async (tx) => ({
    items: await rooms.events.read(tx, { limit: 100 }),
  }))
  expect(items.filter((event) => event.kind === 'message.posted').map((event) => event.data)).toEqual([
    { messageId: direct.id, root: direct.id, to: bob.id, channelId: null, replyTo: null },
    { messageId: broadcast.id, root: broadcast.id, to: null, channelId: null, replyTo: null },
  ])
})

test('an agent that is not there is said to be unknown, and nothing is stored', async () => {
  const rooms = await openRooms()
  const ann = await speaker(rooms, 'ann')
  await expect(ann.tell('nobody', 'hello')).rejects.toMatchObject({ code: 'not_found' })
  await expect(ann.say({ type: 'message', text: 'to whom?' })).rejects.toMatchObject({
    code: 'invalid_request',
  })
  expect(await rooms.sql('select 1 from messages')).toEqual([])
})

test('a mailbox holds 100 messages: the next one lets go of the oldest, and the reader learns how many it lost', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  await tellMany(rooms, ann, 'bob', upTo(mailboxSize))
  expect(await bob.read({ limit: 50 })).toMatchObject({ dropped: 0, last: 100, texts: upTo(50).map(String) })
  await tellMany(rooms, ann, 'bob', [101])
  expect(await bob.read({ limit: 2 })).toMatchObject({ dropped: 1, last: 101, texts: ['2', '3'] })
  await tellMany(rooms, ann, 'bob', [102, 103])
  expect(await bob.read({ limit: 2 })).toMatchObject({ dropped: 3, texts: ['4', '5'] })
  expect(await rooms.sql('select 1 from mailbox_entries')).toHaveLength(100)
  // What went from the mailbox is in the history still.
  expect(await rooms.sql('select 1 from messages')).toHaveLength(103)
  bob.connect()
  await rooms.mail.deliver()
  expect(bob.pushed().map((push) => push.dropped)).toEqual([3, ...Array.from({ length: 99 }, () => 0)])
  expect(bob.texts()).toEqual(upTo(103, 4).map(String))
})

test('an acknowledged message and all before it are gone for good, and one to come cannot be acknowledged', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  await expect(bob.ack(1)).rejects.toMatchObject({ code: 'invalid_request' })
  await tellMany(rooms, ann, 'bob', upTo(5))
  await bob.ack(3)
  expect(await bob.read()).toMatchObject({ dropped: 0, texts: ['4', '5'] })
  for (const again of [3, 1, 0]) await bob.ack(again)
  expect(await bob.read()).toMatchObject({ dropped: 0, texts: ['4', '5'] })
  await expect(bob.ack(6)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(await bob.read()).toMatchObject({ texts: ['4', '5'] })
  await bob.ack(5)
  expect(await bob.read()).toMatchObject({ dropped: 0, last: 5, texts: [] })
  expect(await rooms.sql('select 1 from mailbox_entries')).toEqual([])
})

test('a mailbox is read on from a cursor without acknowledging', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  await tellMany(rooms, ann, 'bob', upTo(5))
  expect((await bob.read({ limit: 2 })).texts).toEqual(['1', '2'])
  expect((await bob.read({ after: 2, limit: 2 })).texts).toEqual(['3', '4'])
  expect(await bob.read({ after: 5 })).toMatchObject({ dropped: 0, texts: [] })
  expect(await bob.read({ after: 99 })).toMatchObject({ dropped: 0, texts: [] })
  expect((await bob.read()).texts).toEqual(['1', '2', '3', '4', '5'])
})

test('who comes back gets what it did not acknowledge, in order, and over one connection nothing twice', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  await tellMany(rooms, ann, 'bob', upTo(3))
  bob.connect()
  await rooms.mail.deliver()
  await tellMany(rooms, ann, 'bob', [4, 5])
  await rooms.mail.deliver()
  await rooms.mail.deliver()
  expect(bob.texts()).toEqual(['1', '2', '3', '4', '5'])
  await bob.ack(2)
  await rooms.mail.deliver()
  expect(bob.texts()).toEqual(['1', '2', '3', '4', '5'])
  bob.connect()
  await rooms.mail.deliver()
  expect(bob.pushed()).toMatchObject([{ cursor: 3 }, { cursor: 4 }, { cursor: 5 }])
  expect(bob.pushed().every((push) => push.dropped === 0)).toBe(true)
})

test('a socket that is not read is not filled: its mailbox waits', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  await tellMany(rooms, ann, 'bob', upTo(45))
  bob.connect()
  let waiting = 0
  bob.connection.backlog = () => waiting
  const { send } = bob.connection
  bob.connection.send = (message) => {
    waiting += 100_000
    send(message)
  }
  await rooms.mail.deliver()
  expect(bob.texts()).toHaveLength(20)
  await rooms.mail.deliver()
  expect(bob.texts()).toHaveLength(20)
  waiting = 0
  await rooms.mail.deliver()
  waiting = 0
  await rooms.mail.deliver()
  expect(bob.texts()).toEqual(upTo(45).map(String))
})

test('what has waited unread for seven days is let go within an hour, and its reader learns how many', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  await tellMany(rooms, ann, 'bob', upTo(4))
  const age = (position: number, time: string) =>
    rooms.sql('update mailbox_entries set at = now() - $2::interval where position = $1', [position, time])
  await age(1, '7 days 1 minute')
  await age(2, '7 days 1 minute')
  await age(3, '6 days 23 hours')
  await rooms.db.asSystem(rooms.mail.evict)
  expect(await bob.read()).toMatchObject({ dropped: 2, last: 4, texts: ['3', '4'] })
  const shorter = await openRooms({ database: rooms.database, keepDays: 6 })
  await shorter.db.asSystem(shorter.mail.evict)
  expect(await bob.read()).toMatchObject({ dropped: 3, texts: ['4'] })
  await rooms.sql(`update mailbox_entries set at = now() - interval '8 days'`)
  await rooms.db.asSystem(rooms.mail.evict)
  expect(await bob.read()).toMatchObject({ dropped: 4, texts: [] })
  bob.connect()
  await rooms.mail.deliver()
  await tellMany(rooms, ann, 'bob', [5])
  await rooms.mail.deliver()
  expect(bob.pushed()).toMatchObject([{ cursor: 5, dropped: 4 }])
})

test('a message that is posted at one hub reaches an agent that is connected to another', async () => {
  const here = await openRooms()
  const there = await openRooms({ database: here.database })
  const ann = await speaker(here, 'ann')
  const bob = await speaker(there, 'bob')
  bob.connect()
  await there.mail.deliver()
  await ann.tell('bob', 'across')
  await here.mail.deliver()
  expect(bob.texts()).toEqual([])
  await there.mail.deliver()
  expect(bob.texts()).toEqual(['across'])
})

test('a broadcast does not fill the mailbox of a machine that went away for good', async () => {
  const rooms = await openRooms()
  const [ann, gone, fresh] = [
    await speaker(rooms, 'ann'),
    await speaker(rooms, 'gone'),
    await speaker(rooms, 'fresh'),
  ]
  await rooms.sql(`update workers set last_seen_at = now() - interval '8 days' where name = 'gone'`)
  await ann.tell(null, 'for all')
  expect((await gone.read()).texts).toEqual([])
  expect((await fresh.read()).texts).toEqual(['for all'])
  await ann.tell('gone', 'for you')
  expect((await gone.read()).texts).toEqual(['for you'])
})
