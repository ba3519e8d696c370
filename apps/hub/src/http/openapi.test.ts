import type { Route } from '@muster/contract/route'
import { routes } from '@muster/contract/routes'
import { expect, test } from 'vitest'
import { openApi } from './openapi.ts'

type Operation = {
  operationId: string
  summary: string
  security?: unknown[]
  parameters: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: { 'application/json': { schema: object } } }
  responses: Record<string, { content: { 'application/json': { schema: object } } }>
}

const document = openApi('1.2.3')
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
)

test('the document names exactly the operations of the contract', () => {
  const named = operations.map(({ path, method, operation }) => [operation.operationId, `${method} ${path}`])
  const contract = Object.entries(routes).map(([name, { method, path }]) => [
    name,
    `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
  ])
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(contract))
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
})

test.each(operations)('$operation.operationId is described whole', ({ path, method, operation }) => {
  const route: Route | undefined = Object.entries(routes).find(
    ([name]) => name === operation.operationId,
  )?.[1]
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const declared = operation.parameters.filter((parameter) => parameter.in === 'path')
  expect(declared.map((parameter) => parameter.name)).toEqual(inPath)
  expect(declared.every((parameter) => parameter.required)).toBe(true)
  expect(operation.summary.length).toBeGreaterThan(5)
  expect(operation.requestBody !== undefined).toBe(method === 'post')
  expect(operation.security).toEqual(route?.who === 'anybody' ? [] : undefined)
  const done = operation.responses[String(route?.status)]
  expect(done?.content['application/json'].schema).toMatchObject({ type: 'object' })
  expect(operation.responses['default']?.content['application/json'].schema).toEqual({
    $ref: '#/components/schemas/Error',
  })
  const asked = operation.parameters.some((parameter) => parameter.name === 'Idempotency-Key')
  expect(asked).toBe(method === 'post' && route?.who === 'person' && route.secretBody !== true)
})

test('every schema is plain JSON whose references lead somewhere', () => {
  const text = JSON.stringify(document)
  expect(JSON.parse(text)).toEqual(document)
  for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    expect(document.components.schemas).toHaveProperty(name)
  }
  expect(
    [...text.matchAll(/"\$ref":"([^"]+)"/g)].every(([, ref]) => ref === '#/components/schemas/Error'),
  ).toBe(true)
})
