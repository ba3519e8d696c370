import { expect, test } from 'vitest'
import { speaker, type Speaker } from '../../test-support/mail.ts'
import { openRooms } from '../../test-support/rooms.ts'

async function thread(of: Speaker, message: string, more: object = {}) {
  const { thread: found } = await of.say({ type: 'thread', message, ...more })
  return { ...found, texts: found?.items.map((item) => item.text) }
}

async function three() {
  const rooms = await openRooms()
  const names = ['ann', 'bob', 'eve'] as const
  const [ann, bob, eve] = [
    await speaker(rooms, names[0]),
    await speaker(rooms, names[1]),
    await speaker(rooms, names[2]),
  ]
  return { rooms, ann, bob, eve }
}

test('a thread is found by any of its messages: whole, the answers to one, or its beginning', async () => {
  const { ann, bob, eve } = await three()
  const root = await ann.tell(null, 'who has the key?')
  const first = await bob.tell(null, 'not me', { replyTo: root.id })
  const second = await eve.tell(null, 'I do', { replyTo: root.id })
  const deep = await ann.tell(null, 'thanks', { replyTo: second.id })
  await ann.tell(null, 'something else')
  const all = ['who has the key?', 'not me', 'I do', 'thanks']
  for (const { id } of [root, first, second, deep]) {
    expect(await thread(bob, id)).toMatchObject({ root: root.id, texts: all, more: false })
    expect(await thread(bob, id, { part: 'root' })).toMatchObject({ texts: [all[0]] })
  }
  expect((await thread(bob, root.id, { part: 'replies' })).texts).toEqual(['not me', 'I do'])
  expect((await thread(bob, second.id, { part: 'replies' })).texts).toEqual(['thanks'])
  expect((await thread(bob, deep.id, { part: 'replies' })).texts).toEqual([])
  const start = await thread(bob, root.id, { limit: 3 })
  expect(start).toMatchObject({ texts: all.slice(0, 3), more: true })
  expect(await thread(bob, root.id, { after: start.items?.at(-1)?.seq })).toMatchObject({
    texts: ['thanks'],
    more: false,
  })
})

test('an answer without an addressee goes to whoever wrote the message, and to oneself goes on to the same', async () => {
  const { ann, bob, eve } = await three()
  const asked = await ann.tell('bob', 'ready?')
  await bob.say({ type: 'message', text: 'yes', replyTo: asked.id })
  await ann.say({ type: 'message', text: 'hello?', replyTo: asked.id })
  expect((await ann.read()).texts).toEqual(['yes'])
  expect((await bob.read()).texts).toEqual(['ready?', 'hello?'])
  expect((await eve.read()).texts).toEqual([])
})

test('a private answer to a public question is seen by the two of them alone', async () => {
  const { ann, bob, eve } = await three()
  const question = await ann.tell(null, 'question')
  const answer = await bob.tell('ann', 'in private', { replyTo: question.id })
  expect((await thread(ann, question.id)).texts).toEqual(['question', 'in private'])
  expect((await thread(bob, question.id)).texts).toEqual(['question', 'in private'])
  expect((await thread(eve, question.id)).texts).toEqual(['question'])
  const unknown = crypto.randomUUID()
  for (const message of [answer.id, unknown]) {
    await expect(thread(eve, message)).rejects.toMatchObject({ code: 'not_found' })
    await expect(eve.tell('ann', 'me too', { replyTo: message })).rejects.toMatchObject({ code: 'not_found' })
  }
})

test('a person reads every thread of the workspace and is answered in the history', async () => {
  const { rooms, ann, eve } = await three()
  const asked = await rooms.inWorkspace((tx) =>
    rooms.mail.post(tx, rooms.person, { to: 'ann', text: 'how far?' }),
  )
  const [got] = (await ann.read()).items
  expect(got?.message.from).toEqual({ kind: 'person', name: 'owner' })
  await ann.say({ type: 'message', text: 'half', replyTo: asked.id })
  const found = await thread(ann, asked.id)
  expect(found.items?.at(-1)).toMatchObject({ text: 'half', to: { kind: 'person', name: 'owner' } })
  expect((await eve.read()).texts).toEqual([])
  expect(await rooms.sql('select 1 from mailbox_entries')).toHaveLength(1)
})
