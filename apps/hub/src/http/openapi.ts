import { errorBody } from '@muster/contract/errors'
import type { Route } from '@muster/contract/route'
import { routes } from '@muster/contract/routes'
import { z } from 'zod'

/** The OpenAPI 3.1 document, generated from the contract's route table. */
export function openApi(version: string) {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [operationId, route] of Object.entries(routes) as [string, Route][]) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(operationId, route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Muster', version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'muster_session' },
      },
      schemas: { Error: schemaOf(errorBody, 'output') },
    },
  }
}

function operation(operationId: string, route: Route) {
  const json = (schema: unknown) => ({ 'application/json': { schema } })
  return {
    operationId,
    summary: route.summary,
    ...(route.who === 'anybody' ? { security: [] } : {}),
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...(route.method === 'POST' && route.who === 'person' && route.secretBody !== true
        ? [idempotencyKey]
        : []),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: json(schemaOf(route.body, 'input')) } }),
    responses: {
      [String(route.status)]: { description: 'Done', content: json(schemaOf(route.response, 'output')) },
      default: { description: 'Refused', content: json({ $ref: '#/components/schemas/Error' }) },
    },
  }
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A repeated request with the same key gets the first answer and has no second effect.',
  schema: { type: 'string', minLength: 8, maxLength: 128 },
}

function parameters(object: z.ZodObject | undefined, place: 'path' | 'query') {
  return Object.entries(object?.shape ?? {}).map(([name, type]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: schemaOf(type as z.ZodType, 'input'),
  }))
}

function schemaOf(type: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' })
  return schema
}
