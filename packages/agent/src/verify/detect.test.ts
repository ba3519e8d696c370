import { expect, test } from 'vitest'
import { detectRunner, noRunner } from './detect.ts'

function detect(files: Record<string, string>) {
  return detectRunner({ paths: new Set(Object.keys(files)), read: async (path) => files[path] ?? null })
}

const scripts = '{"scripts":{"test":"node --test"}}'

test.each<[string, Record<string, string>]>([
  ['npm test', { 'package.json': scripts }],
  ['pnpm test', { 'package.json': scripts, 'pnpm-lock.yaml': '' }],
  ['yarn test', { 'package.json': scripts, 'yarn.lock': '' }],
  ['bun run test', { 'package.json': scripts, 'bun.lock': '' }],
  ['cargo test --offline', { 'Cargo.toml': '' }],
  ['go test ./...', { 'go.mod': '' }],
  ['python3 -m pytest', { 'pytest.ini': '' }],
  ['python3 -m pytest', { 'pyproject.toml': '[tool.pytest.ini_options]' }],
  ['python3 -m pytest', { 'tests/test_a.py': 'def test_a():\n    assert True\n' }],
  ['python3 -m unittest discover -s tests', { 'tests/test_a.py': 'import unittest\n' }],
  ['python3 -m unittest discover', { 'tests/__init__.py': '', 'tests/test_a.py': 'import unittest\n' }],
  ['make test', { Makefile: 'all:\n\ttrue\ntest: all\n\ttrue\n' }],
  ['make check', { Makefile: 'check:\n\ttrue\n' }],
  ['mvn -o -q test', { 'pom.xml': '' }],
  ['./gradlew test --offline', { 'build.gradle': '', gradlew: '' }],
  ['mix test', { 'mix.exs': '' }],
  ['rspec', { 'spec/a_spec.rb': '' }],
  ['bundle exec rake test', { Gemfile: '', Rakefile: 'Rake::TestTask.new' }],
  ['composer test', { 'composer.json': '{"scripts": {"test": "phpunit"}}' }],
  ['deno test --no-remote', { 'deno.json': '{}' }],
])('the runner is %s for %j', async (command, files) => {
  expect((await detect(files))?.command).toBe(command)
})

test('the placeholder that npm init writes is no runner, so the next one counts', async () => {
  const placeholder = '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}'
  expect(await detect({ 'package.json': placeholder })).toBeNull()
  expect(await detect({ 'package.json': placeholder, Makefile: 'test:\n' })).toMatchObject({
    command: 'make test',
  })
})

test('a manifest that cannot be read, a variable called test and an empty repository have no runner', async () => {
  expect(await detect({ 'package.json': '{' })).toBeNull()
  expect(await detect({ Makefile: 'test := yes\n' })).toBeNull()
  expect(await detect({})).toBeNull()
  expect(noRunner).toContain('test_passes:')
})
