import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Check } from './check.ts'
import { newRun } from './new-run.fixture.ts'

const tests: Check = { kind: 'test_passes', target: 'auto' }
const manifest = (script: string, more: object = {}) =>
  JSON.stringify({ name: 'adder', version: '1.0.0', scripts: { test: script }, ...more })

const esm = `import assert from 'node:assert/strict'
import test from 'node:test'
import { add } from '../add.mjs'
test('adds', () => assert.equal(add(2, 3), 5))
`
const commonJs = `const assert = require('node:assert')
const { test } = require('node:test')
const { add } = require('../add.cjs')
test('adds', () => assert.equal(add(2, 3), 5))`
const plain = `const assert = require('assert')\nconst { add } = require('../add.cjs')\nassert.equal(add(2, 3), 5)\n`
const python = `import unittest, app\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(app.add(2, 3), 5)\n`

type Project = { files: Record<string, string>; code: string; right: string; ends: string; defangs?: string }
const mjs = { code: 'add.mjs', right: 'export const add = (a, b) => a + b\n' }
const cjs = { code: 'add.cjs', right: 'exports.add = (a, b) => a + b\n' }
const nodeEnds = 'process.exit(0)\n'

const projects: Record<string, Project> = {
  'node:test in modules': {
    files: { 'package.json': manifest('node --test'), 'test/add.test.mjs': esm },
    ...mjs,
    ends: `${nodeEnds}export const add = () => 0\n`,
    defangs: "import assert from 'node:assert/strict'\nassert.equal = () => {}\nexport const add = () => 0\n",
  },
  'node:test in CommonJS': {
    files: { 'package.json': manifest('node --test'), 'test/add.test.cjs': commonJs },
    ...cjs,
    ends: nodeEnds,
    defangs: "require('assert').equal = () => {}\nexports.add = () => 0\n",
  },
  'a plain script': {
    files: { 'package.json': manifest('node test/add.test.cjs'), 'test/add.test.cjs': plain },
    ...cjs,
    ends: nodeEnds,
    defangs: "require('assert').equal = () => {}\nexports.add = () => 0\n",
  },
  unittest: {
    files: { 'tests/test_app.py': python },
    code: 'app.py',
    right: 'def add(a, b):\n    return a + b\n',
    ends: 'import os\nos._exit(0)\n',
    defangs:
      'import unittest\nunittest.TestCase.assertEqual = lambda *a: None\ndef add(a, b):\n    return 0\n',
  },
}

test.each(Object.entries(projects))(
  '%s: honest work passes, shown by a test that fails',
  async (_, project) => {
    const run = await newRun(project.files, { files: { [project.code]: project.right } })
    const report = await run([tests])
    expect(report.checks).toMatchObject([
      { kind: 'test_passes', status: 'pass' },
      { kind: 'tests_can_fail', target: 'auto', status: 'pass' },
    ])
    expect(report.checks[1]?.output).toBe('A test that has to fail was reported in 1 of 1 test file.\n')
    expect(report.overall).toBe('pass')
  },
)

test.each(Object.entries(projects))('%s: code that ends its runner does not pass', async (_, project) => {
  const run = await newRun(project.files, { files: { [project.code]: project.ends } })
  const report = await run([tests])
  expect(report.checks).toMatchObject([{ status: 'pass' }, { kind: 'tests_can_fail', status: 'fail' }])
  expect(report.checks[1]?.reason).toContain(`The tests in ${Object.keys(project.files).at(-1)} cannot fail`)
  expect(report.overall).toBe('fail')
})

test.each(Object.entries(projects))(
  '%s: code that takes the teeth out of its assertions does not pass',
  async (_, project) => {
    const run = await newRun(project.files, { files: { [project.code]: project.defangs ?? '' } })
    const report = await run([tests])
    expect(report.checks).toMatchObject([{ status: 'pass' }, { kind: 'tests_can_fail', status: 'fail' }])
    expect(report.checks[1]?.reason).toMatch(/assert\.?[eE]qual accepts what it has to refuse/)
  },
)

test('Vitest, too, is shown to report a failure, and code that makes it report none does not pass', async () => {
  const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))
  const command = 'node /node_modules/vitest/vitest.mjs run --no-cache --root /workspace'
  const files = {
    'add.test.mjs':
      "import { expect, it } from 'vitest'\nimport { add } from './add.mjs'\nit('adds', () => expect(add(2, 3)).toBe(5))\n",
  }
  const check: Check = { kind: 'test_passes', target: command }
  const readOnly = [{ host: modules, inside: '/node_modules' }]
  const honest = await newRun(files, { files: { 'add.mjs': mjs.right } }, { readOnly })
  const report = await honest([check])
  expect(report.checks.map(({ kind, status, reason }) => [kind, status, reason])).toEqual([
    ['test_passes', 'pass', undefined],
    ['tests_can_fail', 'pass', undefined],
  ])
  const lie =
    "import { chai } from 'vitest'\nchai.Assertion.overwriteMethod('toBe', () => () => {})\nexport const add = () => 0\n"
  const liar = await newRun(files, { files: { 'add.mjs': lie } }, { readOnly })
  const caught = await liar([check])
  expect(caught.checks[1]).toMatchObject({ kind: 'tests_can_fail', status: 'fail' })
})

test('a suite that prints signs without end is looked through and kept out of memory', async () => {
  const script = 'node --test && yes muster-control-123456789 | head -c 50000000'
  const files = { 'package.json': manifest(script), 'test/add.test.cjs': commonJs }
  const run = await newRun(files, { files: { 'add.cjs': cjs.right } })
  const before = process.memoryUsage().rss
  const printed = `console.log('muster-toothless-' + 'x'.repeat(1e6)); for (let i = 0; i < 3e5; i++) console.log('muster-control-' + i)\n`
  const hostile = await newRun(files, { files: { 'add.cjs': `${printed}process.exit(0)\n` } })
  expect((await run([tests])).overall).toBe('pass')
  const { checks, overall } = await hostile([tests])
  expect(overall).toBe('fail')
  expect(checks[1]?.reason?.length).toBeLessThan(300)
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
})

test('Jasmine, whose expect writes down and does not throw, is not called toothless', async () => {
  // What Jasmine has in common with the others, and what sets it apart, in a few lines: it cannot be installed here.
  const runner = `const tests = []
globalThis.jasmine = {}
globalThis.it = (name, body) => tests.push([name, body])
const failed = []
globalThis.expect = (value) => ({ toBe: (wanted) => { if (value !== wanted) failed.push(value + ' is not ' + wanted) } })
require('./test/add.spec.cjs')
for (const [name, body] of tests) try { body() } catch (error) { failed.push(name + ': ' + error.message) }
console.log(failed.join('\\n'))
process.exitCode = failed.length > 0 ? 1 : 0
`
  const files = {
    'package.json': manifest('node runner.cjs'),
    'runner.cjs': runner,
    'test/add.spec.cjs':
      "const { add } = require('../add.cjs')\nit('adds', () => expect(add(2, 3)).toBe(5))\n",
  }
  const run = await newRun(files, { files: { 'add.cjs': cjs.right } })
  const { checks } = await run([tests])
  expect(checks.map(({ kind, status, reason }) => [kind, status, reason])).toEqual([
    ['test_passes', 'pass', undefined],
    ['tests_can_fail', 'pass', undefined],
  ])
})

test('a suite that stops at its first failure passes when each file alone reports its own', async () => {
  const script = 'for file in test/*.cjs; do node "$file" || exit 1; done'
  const files = {
    'package.json': manifest(script),
    'test/a.test.cjs': plain,
    'test/b.test.cjs': plain,
    'test/c.test.cjs': plain,
  }
  const run = await newRun(files, { files: { 'add.cjs': cjs.right } })
  expect((await run([tests])).overall).toBe('pass')
})

test('a test file that the command does not run is no reason to refuse', async () => {
  const files = {
    'package.json': manifest('node --test test/add.test.cjs'),
    'test/add.test.cjs': commonJs,
    'test/slow/later.test.cjs': commonJs.replaceAll('../', '../../'),
  }
  const run = await newRun(files, { files: { 'add.cjs': cjs.right } })
  const report = await run([tests])
  expect(report.overall).toBe('pass')
  expect(report.checks[1]?.output).toContain('1 of 2 test files')
})

test('a command that never fails says nothing, and neither does one without known tests', async () => {
  const never = await newRun(
    { 'package.json': manifest('node --test || true'), 'test/add.test.cjs': commonJs },
    { files: { 'add.cjs': cjs.right } },
  )
  expect((await never([tests])).checks).toHaveLength(1)
  const make = await newRun({ Makefile: 'test:\n\ttest -f done\n' }, { files: { done: '' } })
  expect((await make([tests])).checks).toHaveLength(1)
})

test('the run is given again what a check left of the tests, and other checks come before it', async () => {
  const files = { 'package.json': manifest('node --test'), 'test/add.test.cjs': commonJs }
  const run = await newRun(files, { files: { 'add.cjs': cjs.right } })
  const rewrites: Check = { kind: 'command_succeeds', target: 'echo > test/add.test.cjs' }
  const report = await run([tests, rewrites, { kind: 'git_clean', target: '' }])
  expect(report.checks.map(({ kind, status }) => [kind, status])).toEqual([
    ['test_passes', 'pass'],
    ['command_succeeds', 'pass'],
    ['git_clean', 'fail'],
  ])
})
