import type { FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import { createGuard } from './guard.ts'

const guard = createGuard(() => ({ port: 4600 }))
const from = (headers: Record<string, string>) => ({ headers }) as unknown as FastifyRequest

test.each(['127.0.0.1:4600', 'localhost:4600', 'LOCALHOST:4600', '[::1]:4600'])(
  'the host %s is this hub',
  (host) => {
    expect(() => guard.checkHost(from({ host }))).not.toThrow()
  },
)

test.each([
  '',
  'localhost',
  'localhost:4601',
  'localhost:46000',
  'evil.example:4600',
  'localhost.evil.example:4600',
  '127.0.0.1.evil.example:4600',
  '127.0.0.1:4600@evil.example',
  'localhost:4600:4600',
  '0.0.0.0:4600',
  ' localhost:4600',
])('the host %j is another one', (host) => {
  expect(() => guard.checkHost(from({ host }))).toThrow('does not answer to the host')
})

const own = 'http://localhost:4600'
const rules: [string | undefined, { byCookie: boolean; changes: boolean }, boolean][] = [
  [undefined, { byCookie: false, changes: true }, true],
  [undefined, { byCookie: true, changes: false }, true],
  [undefined, { byCookie: true, changes: true }, false],
  [own, { byCookie: true, changes: true }, true],
  [own, { byCookie: false, changes: true }, true],
  ['null', { byCookie: false, changes: false }, false],
  ['https://localhost:4600', { byCookie: false, changes: false }, false],
  ['http://localhost', { byCookie: false, changes: false }, false],
  ['http://localhost:4600.evil.example', { byCookie: false, changes: false }, false],
  ['http://evil.example', { byCookie: false, changes: false }, false],
  ['', { byCookie: false, changes: false }, false],
]
test.each(rules)('whether a request from the origin %j with %j passes is %s', (origin, options, passes) => {
  const check = () => guard.checkOrigin(from(origin === undefined ? {} : { origin }), options)
  if (passes) expect(check).not.toThrow()
  else expect(check).toThrow(expect.objectContaining({ code: 'origin_refused', status: 403 }))
})
