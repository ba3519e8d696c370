import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { branchOf, slugOf } from './slug.ts'

const taskId = '0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'

test.each([
  ['Fix the login page', 'fix-the-login-page'],
  ['  Größe & Straße — prüfen! ', 'grosse-strasse-prufen'],
  ['Café crème №5', 'cafe-creme-no5'],
  ['修复登录', '0199a1b2-c3d'],
  ['---', '0199a1b2-c3d'],
  ['', '0199a1b2-c3d'],
  ['../../etc/passwd.lock', 'etc-passwd-lock'],
  ['a'.repeat(47) + ' b', 'a'.repeat(47)],
])('%j becomes %s', (title, slug) => {
  expect(slugOf(title, taskId)).toBe(slug)
})

test('a slug is never empty, never long, and holds only letters, digits and inner dashes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.string(), (title, id) => {
      expect(slugOf(title, id)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(slugOf(title, id).length).toBeLessThanOrEqual(48)
    }),
    { numRuns: 2000 },
  )
})

test('git accepts every branch name that can come out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (agent, title) => {
      const branch = branchOf({ agent, title, taskId })
      expect(branch).toMatch(/^muster\/[^/]+\/[^/]+$/)
      expect(spawnSync('git', ['check-ref-format', '--branch', branch]).status, branch).toBe(0)
    }),
    { numRuns: 60 },
  )
})
