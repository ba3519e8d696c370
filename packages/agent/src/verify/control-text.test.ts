import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { controlText } from './control-text.ts'

const written: [string, string, string][] = [
  ['add.test.js', "import test from 'node:test'", "from 'node:test'"],
  ['test/add.cjs', "const { test } = require('node:test')", "require('node:test').test("],
  ['src/add.spec.ts', "import { it } from 'vitest'", "from 'vitest'"],
  ['src/add.test.ts', "import { it } from '@jest/globals'", "from '@jest/globals'"],
  ['src/add.test.ts', "describe('add', () => {})", '(globalThis.it ?? globalThis.test)('],
  ['test/add.js', "it.each([1])('adds', () => {})", '(globalThis.it ?? globalThis.test)('],
  ['test/add.test.js', "const assert = require('assert')", '{ const musterRefuses'],
  ['test_add.py', 'import unittest', 'class MusterControl(_muster_unittest.TestCase):'],
  ['tests/add_test.py', 'def test_adds():\n    assert add(1, 2) == 3\n', 'class MusterControl'],
]

test.each(written)('%s with %s is given a test of its own library', (path, text, part) => {
  const control = controlText(path, text, [3, 5])
  expect(control?.sign).toBe('15')
  expect(control?.text).toContain(part)
})

// Texts of other people's files; none is a test of ours.
test.each([
  ['test/helpers.js', 'export const two = 2'],
  ['test/prepare.cjs', "require('node:assert').ok(true)"],
  ['tests/conftest.py', 'import unittest'],
  ['test/data.json', '{}'],
  ['add.test.js', "import test from 'node:test'\nprocess.exit(failed)\n"],
  ['add.test.js', "import { it } from 'vitest'\nit.only('adds', () => {})\n"],
  ['add.test.js', "fdescribe('add', () => {})\n"],
  ['test_add.py', 'import unittest\nunittest.main()\n'],
  ['test_add.py', 'import pytest\nnumpy = pytest.importorskip("numpy")\ndef test_a(): pass\n'],
  ['test_add.py', 'import unittest\ndef load_tests(loader, tests, pattern): ...\n'],
  ['test.sh', 'assert'],
  ['tests/helpers.py', 'import unittest'],
])('%s is left alone', (path, text) => {
  expect(controlText(path, text, [3, 5])).toBeNull()
})

test('a file that ends only when it is run by itself is given one', () => {
  const guarded = "import unittest\nif __name__ == '__main__':\n    unittest.main()\n"
  expect(controlText('test_add.py', guarded, [3, 5])).not.toBeNull()
})

test('the sign stands in no text, so that only a test that ran and failed can show it', () => {
  const factor = fc.integer({ min: 2 ** 20, max: 2 ** 26 })
  fc.assert(
    fc.property(fc.constantFrom(...written), factor, factor, ([path, text], a, b) => {
      const control = controlText(path, text, [a, b])
      expect(control?.text).not.toContain(String(a * b))
      expect(control?.text).not.toMatch(/muster-(control|toothless)-[A-Za-z0-9.]/)
    }),
  )
})
