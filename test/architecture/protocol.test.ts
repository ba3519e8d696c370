import { hubMessage, workerMessage } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { fieldsOf, messagesOf, shapesOf } from '../../tools/json-schema.ts'

const messages = [
  ...messagesOf(workerMessage, 'input').map((message) => ({ ...message, name: `${message.type} (worker)` })),
  ...messagesOf(hubMessage, 'output').map((message) => ({ ...message, name: `${message.type} (hub)` })),
]

test('every message of the wire and every field of it says what it is, because a client is written from that', () => {
  expect(messages.length).toBeGreaterThan(15)
  const silent = messages.flatMap(({ name, schema }) => [
    ...(schema.description === undefined ? [name] : []),
    ...undescribed(schema).map((path) => `${name}: ${path}`),
  ])
  const inShapes = shapesOf(messages).flatMap((shape) =>
    undescribed(shape).map((path) => `${String(shape.title)}: ${path}`),
  )
  expect([...silent, ...inShapes]).toEqual([])
})

function undescribed(schema: Parameters<typeof fieldsOf>[0]): string[] {
  return fieldsOf(schema)
    .filter((field) => field.schema.description === undefined)
    .map((field) => field.path)
}
