import { expect, test } from 'vitest'
import { calledScripts, mergeManifest } from './manifest.ts'

function merge(base: object, commit: object, commands: string[] = ['auto']) {
  const merged = mergeManifest(JSON.stringify(base), JSON.stringify(commit), commands)
  return merged && { keys: merged.keys, value: JSON.parse(merged.text) as unknown }
}

test('the test script of the base replaces a rewritten one, and the rest of the file stays the work of the run', () => {
  const base = { version: '1.0.0', scripts: { test: 'jest', build: 'tsc' } }
  const commit = {
    version: '1.1.0',
    scripts: { test: 'true', build: 'tsc -b' },
    dependencies: { left: '1.0.0' },
  }
  expect(merge(base, commit)).toEqual({
    keys: ['scripts.test'],
    value: { version: '1.1.0', scripts: { test: 'jest', build: 'tsc -b' }, dependencies: { left: '1.0.0' } },
  })
})

test('hooks around the test script that the run added are taken away', () => {
  const base = { scripts: { test: 'jest' } }
  const commit = { scripts: { test: 'jest', pretest: 'cp good.js bad.js', posttest: 'exit 0' } }
  expect(merge(base, commit)).toMatchObject({ value: { scripts: { test: 'jest' } } })
  expect(merge(base, commit)?.keys.toSorted()).toEqual(['scripts.posttest', 'scripts.pretest'])
})

test('scripts that the test script calls come from the base, however deep', () => {
  const base = {
    scripts: { test: 'npm run unit && yarn lint', unit: 'node --run deep', deep: 'jest', lint: 'eslint .' },
  }
  const commit = { scripts: { ...base.scripts, deep: 'true', lint: 'true', predeep: 'x', other: 'y' } }
  expect(merge(base, commit)).toMatchObject({ value: { scripts: { ...base.scripts, other: 'y' } } })
})

test('a script that a check names comes from the base although no test calls it', () => {
  const base = { scripts: { verify: 'sh strict.sh' } }
  expect(merge(base, { scripts: { verify: 'true' } }, ['npm run -s verify'])).toMatchObject({ value: base })
})

test('runner configuration inside the file comes from the base, added or changed', () => {
  const base = { scripts: { test: 'jest' }, mocha: { bail: true } }
  const commit = { scripts: { test: 'jest' }, mocha: {}, jest: { testMatch: [] } }
  expect(merge(base, commit)).toMatchObject({ keys: ['jest', 'mocha'], value: base })
})

test('a run may bring the first test script of a project', () => {
  const commit = { scripts: { test: 'node --test', pretest: 'tsc' } }
  const placeholder = { scripts: { test: 'echo "Error: no test specified" && exit 1' } }
  expect(merge({}, commit)).toEqual({ keys: [], value: commit })
  expect(merge(placeholder, commit)).toEqual({ keys: [], value: commit })
})

test.each(['{', '[]', 'null', '{"scripts":"test"}'])(
  '%s cannot be merged, so the whole file comes from the base',
  (text) => {
    expect(mergeManifest('{"scripts":{"test":"jest"}}', text, [])).toBeNull()
  },
)

test.each([
  ['npm test', ['test']],
  ['npm t', ['test']],
  ['npm --silent run check -- --fast', ['check']],
  ['pnpm run build && bun run e2e', ['build', 'e2e']],
  ['node --run verify:all', ['verify:all']],
  ['run-s lint unit', ['lint', 'unit']],
  ['npm ci && npm test', ['preinstall', 'install', 'postinstall', 'prepare', 'test']],
  ['make test', []],
])('"%s" calls the scripts %j', (command, scripts) => {
  expect(calledScripts(command)).toEqual(scripts)
})
