import { expect, test } from 'vitest'
import { judgesIn } from './command-words.ts'

const files = new Set([
  'scripts/check.sh',
  'check.sh',
  'run me.sh',
  'README.md',
  'app.js',
  'verify.py',
  'expected.txt',
  'ci/rules.yml',
  'hello',
  'scripts/build.sh',
  'run.sh',
  'lib/run.mk',
])

test.each([
  ['sh scripts/check.sh', ['scripts/check.sh']],
  ['./check.sh --fast', ['check.sh']],
  ['bash -eu ./check.sh', ['check.sh']],
  ['CI=1 sh check.sh && echo ok', ['check.sh']],
  ['cd . ; sh /workspace/check.sh', ['check.sh']],
  ["sh 'run me.sh'", ['run me.sh']],
  ['hello', ['hello']],
  ['python3 verify.py', ['verify.py']],
  ['make -f lib/run.mk all', ['lib/run.mk']],
  ['lint --config=ci/rules.yml', ['ci/rules.yml']],
  ['node app.js | diff - expected.txt', ['expected.txt']],
  ['timeout 5 sh run.sh', ['run.sh']],
  ["sh -ec './run.sh && hello'", ['run.sh', 'hello']],
  ['node scripts/build.sh', ['scripts/build.sh']],
  ['cat expected.txt | cmp - out', ['expected.txt']],
  ['if ! sh check.sh; then exit 1; fi', ['check.sh']],
])('in "%s" the judges are %j', (command, judges) => {
  expect(judgesIn(command, (path) => files.has(path))).toEqual(judges)
})

test.each([
  'wc -c README.md',
  'grep -q fast scripts/build.sh',
  'grep -q done README.md',
  'test -f README.md',
  'node app.js | grep ok',
  'cat hello',
  'sh not-there.sh',
])('in "%s" every file is the work, not its judge', (command) => {
  expect(judgesIn(command, (path) => files.has(path))).toEqual([])
})
