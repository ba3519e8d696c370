import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { branchesOf, slugOf } from './branches.ts'

test.each([
  ['Fix the login', 'fix-the-login'],
  ['  Füge Größe hinzu!  ', 'fuge-gro-e-hinzu'],
  ['../../etc/passwd', 'etc-passwd'],
  ['--upload-pack=x', 'upload-pack-x'],
  ['日本語', 'task'],
  ['', 'task'],
  ['x'.repeat(200), 'x'.repeat(48)],
  [`${'x'.repeat(47)} y`, 'x'.repeat(47)],
  ['HEAD.lock', 'head-lock'],
])('the title %j is %j in a branch', (title, slug) => {
  expect(slugOf(title)).toBe(slug)
})

const short = fc.stringMatching(/^[0-9a-f]{8}$/)

test('git takes the branches of any title', () => {
  const names: string[] = []
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), short, (title, id) => {
      const { branch, failedBranch } = branchesOf('shell', { title, short: id })
      expect(branch).toMatch(/^muster\/shell\/[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(failedBranch).toBe(branch.replace('muster/', 'muster-failed/'))
      names.push(branch, failedBranch)
    }),
  )
  const script =
    'for name; do git check-ref-format --branch "$name" >/dev/null || { echo "$name"; exit 1; }; done'
  expect(execFileSync('sh', ['-c', script, 'sh', ...names]).toString()).toBe('')
})

test('two tasks of one title have different branches', () => {
  const one = branchesOf('shell', { title: 'Same', short: '00000001' })
  const two = branchesOf('shell', { title: 'Same', short: '00000002' })
  expect(one.branch).not.toBe(two.branch)
})
