import type { z } from 'zod'

/**
 * One HTTP operation. The hub mounts exactly these, the OpenAPI document is generated from them and the
 * client infers its types from them, so the three cannot differ.
 */
export type Route = {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  summary: string
  /** Who may call: anybody, or a signed-in person (session or personal token). */
  who: 'anybody' | 'person'
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  /** The body is a secret: no hash of it may be stored, so a repeat is a new request. */
  secretBody?: true
  status: 200 | 201
  response: z.ZodType
}
