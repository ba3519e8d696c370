import { historySize, messagesPerMinute } from '@muster/contract/messages'
import { expect, test } from 'vitest'
import { speaker } from '../../test-support/mail.ts'
import { openRooms, type Rooms } from '../../test-support/rooms.ts'

async function count(rooms: Rooms, table: 'messages' | 'mailbox_entries'): Promise<number> {
  return (await rooms.sql(`select 1 from ${table}`)).length
}

test('a sender may post 60 messages within a minute over all its hubs, then it is told how long to wait', async () => {
  const rooms = await openRooms()
  const other = await openRooms({ database: rooms.database })
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  const annElsewhere = await speaker(other, 'ann')
  const lefts: number[] = []
  for (let n = 0; n < messagesPerMinute; n++) {
    lefts.push((await (n % 2 === 0 ? ann : annElsewhere).tell('bob', `${n}`)).left)
  }
  expect(lefts).toEqual(Array.from({ length: 60 }, (_, n) => 59 - n))
  for (const again of [ann, annElsewhere]) {
    await expect(again.tell('bob', 'one more')).rejects.toMatchObject({
      code: 'too_many_messages',
      status: 429,
      message: expect.stringMatching(/the next is taken in (60|5\d|4\d) s/),
    })
  }
  expect(await count(rooms, 'messages')).toBe(60)
  // Another sender is not held up, and the first goes on when its oldest is a minute old.
  await bob.tell('ann', 'mine')
  await rooms.sql(`update messages set at = at - interval '1 minute' where seq = 1`)
  expect((await ann.tell('bob', 'later')).left).toBe(0)
  await expect(ann.tell('bob', 'once more')).rejects.toMatchObject({ code: 'too_many_messages' })
})

test('of a hundred posts at once from one sender to two hubs, exactly sixty are taken', async () => {
  const rooms = await openRooms()
  const other = await openRooms({ database: rooms.database })
  const anns = [await speaker(rooms, 'ann'), await speaker(other, 'ann')]
  await speaker(rooms, 'bob')
  const answers = await Promise.allSettled(
    Array.from({ length: 100 }, (_, n) => anns[n % 2]?.tell('bob', `${n}`)),
  )
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(60)
  expect(await count(rooms, 'messages')).toBe(60)
})

test('a message that is sent again under its key is posted once, however often at once', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  const ids = await Promise.all(
    Array.from({ length: 10 }, async () => (await ann.tell('bob', 'same', { key: 'k1' })).id),
  )
  expect(new Set(ids).size).toBe(1)
  expect((await bob.read()).texts).toEqual(['same'])
  await expect(ann.tell('bob', 'other', { key: 'k1' })).rejects.toMatchObject({
    code: 'idempotency_mismatch',
  })
  await bob.tell('ann', 'another sender, the same key', { key: 'k1' })
  expect(await count(rooms, 'messages')).toBe(2)
})

test('the history keeps exactly 10 000 messages; one that goes leaves the mailbox too, and is missed there', async () => {
  const rooms = await openRooms()
  const [ann, bob] = [await speaker(rooms, 'ann'), await speaker(rooms, 'bob')]
  const first = await ann.tell('bob', 'first')
  await rooms.sql(
    `insert into messages (workspace_id, seq, id, from_kind, from_id, from_name, root, text, at)
     select $1, n, gen_random_uuid(), 'worker', gen_random_uuid(), 'x', gen_random_uuid(), 'x', now() - interval '1 hour'
     from generate_series(2, $2::int) as n`,
    [rooms.workspaceId, historySize],
  )
  await rooms.sql('update mail_heads set last_seq = $1::int, kept = $1::int', [historySize])
  expect((await bob.read()).texts).toEqual(['first'])
  await ann.tell('bob', 'one more')
  expect(await count(rooms, 'messages')).toBe(historySize)
  expect(await rooms.sql('select 1 from messages where id = $1', [first.id])).toEqual([])
  expect(await bob.read()).toMatchObject({ dropped: 1, last: 2, texts: ['one more'] })
  await ann.tell('bob', 'and one more')
  expect(await count(rooms, 'messages')).toBe(historySize)
  expect(await rooms.sql('select kept, last_seq from mail_heads')).toEqual([
    { kept: historySize, last_seq: '10002' },
  ])
})
