import { channelSize } from '@muster/contract/messages'
import { expect, test } from 'vitest'
import { addWorkspace } from '../../test-support/hub.ts'
import { speaker, type Speaker } from '../../test-support/mail.ts'
import { openRooms, type Rooms } from '../../test-support/rooms.ts'

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => `${first + n}`)

async function two(database?: Rooms['database']) {
  const rooms = await openRooms(database === undefined ? {} : { database })
  return { rooms, ann: await speaker(rooms, 'ann'), bob: await speaker(rooms, 'bob') }
}

async function publishMany(rooms: Rooms, from: Speaker, channel: string, texts: string[]): Promise<void> {
  for (const [n, text] of texts.entries()) {
    if (n % 50 === 0) await rooms.sql(`update messages set at = at - interval '1 minute'`)
    await from.publish(channel, text)
  }
}

const subscribe = (who: Speaker, channel: string) => who.say({ type: 'channel_subscribe', channel })

test('what is published is pushed to those who are subscribed, in order, and is in no mailbox', async () => {
  const { rooms, ann, bob } = await two()
  const eve = await speaker(rooms, 'eve')
  for (const each of [ann, bob, eve]) each.connect()
  const { channel } = await subscribe(ann, 'deploys')
  expect(channel).toEqual({ name: 'deploys', last: 0, agents: [{ name: 'ann', status: '', online: true }] })
  await subscribe(bob, 'deploys')
  await rooms.mail.deliver()
  expect(ann.of('channel_joined')).toEqual([{ type: 'channel_joined', channel: 'deploys', name: 'bob' }])
  for (const text of ['one', 'two']) await ann.publish('deploys', text)
  await rooms.mail.deliver()
  await rooms.mail.deliver()
  for (const each of [ann, bob]) {
    expect(each.of('channel_message')).toMatchObject([
      { cursor: 1, message: { text: 'one', channel: 'deploys', to: null, from: { name: 'ann' } } },
      { cursor: 2, message: { text: 'two' } },
    ])
  }
  expect(eve.of('channel_message')).toEqual([])
  for (const each of [ann, bob, eve]) expect((await each.read()).items).toEqual([])
  await bob.say({ type: 'channel_unsubscribe', channel: 'deploys' })
  await ann.publish('deploys', 'three')
  await rooms.mail.deliver()
  expect(bob.of('channel_message')).toHaveLength(2)
  expect(ann.of('channel_left')).toEqual([{ type: 'channel_left', channel: 'deploys', name: 'bob' }])
  expect(ann.of('channel_message')).toHaveLength(3)
})

test('a channel keeps its newest 200 messages, and what is gone shows as a gap before the first', async () => {
  const { rooms, ann, bob } = await two()
  await subscribe(bob, 'log')
  await publishMany(rooms, ann, 'log', upTo(channelSize))
  expect(await ann.history('log', { after: 0, limit: 2 })).toEqual({ last: 200, texts: ['1', '2'] })
  await publishMany(rooms, ann, 'log', ['201', '202'])
  expect(await ann.history('log', { after: 0, limit: 2 })).toEqual({ last: 202, texts: ['3', '4'] })
  expect(await ann.history('log', { limit: 3 })).toEqual({ last: 202, texts: ['200', '201', '202'] })
  expect(await ann.history('log', { after: 201 })).toEqual({ last: 202, texts: ['202'] })
  expect(await rooms.sql('select 1 from messages')).toHaveLength(200)
  // One channel's messages do not push out those of another, and the count of all of them stays right.
  await subscribe(bob, 'other')
  await publishMany(rooms, ann, 'other', ['x'])
  expect(await ann.history('log', { after: 0, limit: 1 })).toMatchObject({ texts: ['3'] })
  expect(await rooms.sql('select kept from mail_heads')).toEqual([{ kept: 201 }])
})

test('a subscription outlives the connection and holds at every hub; what was missed is in the history', async () => {
  const here = await two()
  const there = await two(here.rooms.database)
  await subscribe(here.bob, 'deploys')
  await here.ann.publish('deploys', 'while away')
  there.bob.connect()
  await there.rooms.mail.deliver()
  await here.ann.publish('deploys', 'now')
  await there.rooms.mail.deliver()
  expect(there.bob.of('channel_message')).toMatchObject([{ cursor: 2, message: { text: 'now' } }])
  expect(await there.bob.history('deploys', { after: 0 })).toEqual({ last: 2, texts: ['while away', 'now'] })
})

test('what is published after the reply to a subscription is pushed, however the rounds of the hub fall', async () => {
  const { rooms, ann, bob } = await two()
  for (let n = 0; n < 20; n++) {
    const channel = `c${n}`
    bob.connect()
    const round = rooms.mail.deliver()
    const { channel: joined } = await subscribe(bob, channel)
    const both = await Promise.all([ann.publish(channel, 'first'), rooms.mail.deliver(), round])
    await rooms.mail.deliver()
    expect(bob.of('channel_message').map((push) => push.message.id)).toContain(both[0].id)
    expect(joined?.last).toBe(0)
  }
})

test('a socket that is not read misses what is published, and finds it in the history', async () => {
  const { rooms, ann, bob } = await two()
  await subscribe(bob, 'log')
  bob.connect()
  await rooms.mail.deliver()
  bob.connection.backlog = () => 2 * 1024 * 1024
  await ann.publish('log', 'lost')
  await rooms.mail.deliver()
  bob.connection.backlog = () => 0
  await ann.publish('log', 'seen')
  await rooms.mail.deliver()
  expect(bob.of('channel_message').map((push) => push.cursor)).toEqual([2])
  expect((await bob.history('log', { after: 0, limit: 1 })).texts).toEqual(['lost'])
})

test('the list says how many are subscribed and here, and whether oneself is', async () => {
  const { rooms, ann, bob } = await two()
  await subscribe(ann, 'b')
  await subscribe(bob, 'b')
  await subscribe(bob, 'a')
  // Bob is at another hub, and Ann away.
  await rooms.sql(`update workers set connected_hub = gen_random_uuid() where name = 'bob'`)
  await rooms.sql(`update workers set connected_hub = null where name = 'ann'`)
  await ann.publish('b', 'x')
  const { channels } = await ann.say({ type: 'list_channels' })
  expect(channels).toMatchObject([
    { name: 'a', subscribers: 1, online: 1, last: 0, subscribed: false },
    { name: 'b', subscribers: 2, online: 1, last: 1, subscribed: true },
  ])
})

test('a channel that nobody made can be neither published in, read nor left; one that is there twice is one', async () => {
  const { rooms, ann, bob } = await two()
  const b = await addWorkspace(rooms.database, 'b')
  await rooms.sql(`insert into channels (workspace_id, id, name) values ($1, gen_random_uuid(), 'theirs')`, [
    b.workspaceId,
  ])
  for (const channel of ['none', 'theirs']) {
    await expect(ann.publish(channel, 'x')).rejects.toMatchObject({ code: 'not_found' })
    await expect(ann.history(channel)).rejects.toMatchObject({ code: 'not_found' })
    await expect(ann.say({ type: 'channel_unsubscribe', channel })).rejects.toMatchObject({
      code: 'not_found',
    })
  }
  expect((await ann.say({ type: 'list_channels' })).channels).toEqual([])
  await Promise.all([ann, bob, ann, bob].map((who) => subscribe(who, 'new')))
  expect(await rooms.sql('select 1 from channel_members')).toHaveLength(2)
  const created = await rooms.inWorkspace((tx) => rooms.events.read(tx, { limit: 100 }))
  expect(created.map((event) => event.kind).filter((kind) => kind.startsWith('channel.'))).toEqual([
    'channel.created',
    'channel.joined',
    'channel.joined',
  ])
})

test('a workspace has at most 1 000 channels', async () => {
  const { rooms, ann } = await two()
  await rooms.sql(
    `insert into channels (workspace_id, id, name) select $1, gen_random_uuid(), 'c' || n from generate_series(1, 999) n`,
    [rooms.workspaceId],
  )
  await subscribe(ann, 'the-thousandth')
  await expect(subscribe(ann, 'one-more')).rejects.toMatchObject({ code: 'too_many_channels' })
  await subscribe(ann, 'c1')
})

test('an answer to a message of a channel goes to its writer, or into the channel when one answers oneself', async () => {
  const { rooms, ann, bob } = await two()
  await subscribe(bob, 'deploys')
  const said = await ann.publish('deploys', 'done')
  await bob.say({ type: 'message', text: 'thanks', replyTo: said.id })
  await ann.say({ type: 'message', text: 'and tested', replyTo: said.id })
  await bob.publish('deploys', 'great', { replyTo: said.id })
  expect((await ann.read()).texts).toEqual(['thanks'])
  expect((await ann.history('deploys')).texts).toEqual(['done', 'and tested', 'great'])
  const { thread } = await ann.say({ type: 'thread', message: said.id })
  expect(thread?.items.map((item) => item.text)).toEqual(['done', 'thanks', 'and tested', 'great'])
  expect((await rooms.sql('select 1 from mailbox_entries')).length).toBe(1)
})

test('publishing counts towards the limit of the sender', async () => {
  const { ann } = await two()
  await subscribe(ann, 'log')
  for (let n = 0; n < 30; n++) {
    await ann.publish('log', `${n}`)
    await ann.tell('bob', `${n}`)
  }
  await expect(ann.publish('log', 'x')).rejects.toMatchObject({ code: 'too_many_messages' })
  await expect(ann.tell('bob', 'x')).rejects.toMatchObject({ code: 'too_many_messages' })
})
