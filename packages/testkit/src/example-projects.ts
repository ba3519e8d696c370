/**
 * Small projects for `gitRepo`, one per kind of test command, each with one passing test. None needs anything to be
 * installed beyond its own language, so they run inside a wall without network.
 */
export const exampleProjects = {
  npm: {
    'package.json': `${JSON.stringify({ name: 'adder', version: '1.0.0', type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
    'add.js': 'export const add = (a, b) => a + b\n',
    'add.test.js': `import assert from 'node:assert/strict'
import test from 'node:test'
import { add } from './add.js'

test('adds', () => assert.equal(add(2, 3), 5))
`,
  },
  python: {
    'adder.py': 'def add(a, b):\n    return a + b\n',
    'test_adder.py': `import unittest

from adder import add


class AddTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(add(2, 3), 5)
`,
  },
  make: {
    Makefile: 'test:\n\t@test "$$(./greet.sh World)" = "Hello, World"\n\n.PHONY: test\n',
    'greet.sh': '#!/bin/sh\necho "Hello, $1"\n',
  },
  shell: {
    'greet.sh': '#!/bin/sh\necho "Hello, $1"\n',
    'test.sh': '#!/bin/sh\nset -eu\ncd "$(dirname "$0")"\ntest "$(./greet.sh World)" = "Hello, World"\n',
  },
} as const satisfies Record<string, Record<string, string>>

export type ExampleProject = keyof typeof exampleProjects

/** How the tests of each are run by hand. */
export const exampleTestCommands: Record<ExampleProject, string> = {
  npm: 'npm test',
  python: 'python3 -m unittest',
  make: 'make test',
  shell: './test.sh',
}
