import { isPlaceholder } from './manifest.ts'

/** The files of one commit. */
export type Files = { paths: ReadonlySet<string>; read: (path: string) => Promise<string | null> }

export type Runner = { command: string; because: string }

/** Tried in this order; a repository that has several runners has its own way of calling them all in the first. */
const detectors: readonly ((files: Files) => Promise<Runner | null>)[] = [
  packageScript,
  cargo,
  goModule,
  python,
  make,
  maven,
  gradle,
  phpunit,
  mix,
  ruby,
  cmake,
  deno,
]

export const noRunner =
  'No test runner was found: looked for a test script in package.json, Cargo.toml, go.mod, Python tests, a test or ' +
  'check target in a Makefile, pom.xml, build.gradle, PHPUnit, mix.exs, RSpec or a Rakefile, CMake and deno.json. ' +
  'Name the command instead, for example test_passes:"make verify".'

/** What `test_passes:auto` runs. Offline flags where a tool would otherwise look at the network first. */
export async function detectRunner(files: Files): Promise<Runner | null> {
  for (const detect of detectors) {
    const runner = await detect(files)
    if (runner !== null) return runner
  }
  return null
}

async function packageScript({ paths, read }: Files): Promise<Runner | null> {
  if (!paths.has('package.json')) return null
  const script = testScript((await read('package.json')) ?? '')
  if (script === null || isPlaceholder(script)) return null
  const because = 'package.json has a test script'
  if (paths.has('pnpm-lock.yaml')) return { command: 'pnpm test', because }
  if (paths.has('yarn.lock')) return { command: 'yarn test', because }
  if (paths.has('bun.lock') || paths.has('bun.lockb')) return { command: 'bun run test', because }
  return { command: 'npm test', because }
}

function testScript(text: string): string | null {
  try {
    const manifest = JSON.parse(text) as { scripts?: { test?: unknown } } | null
    const script = manifest?.scripts?.test
    return typeof script === 'string' ? script : null
  } catch {
    return null
  }
}

async function cargo({ paths }: Files): Promise<Runner | null> {
  return paths.has('Cargo.toml')
    ? { command: 'cargo test --offline', because: 'there is a Cargo.toml' }
    : null
}

async function goModule({ paths }: Files): Promise<Runner | null> {
  return paths.has('go.mod') ? { command: 'go test ./...', because: 'there is a go.mod' } : null
}

/** Enough to see which library the tests are written for. */
const testFilesRead = 20

async function python({ paths, read }: Files): Promise<Runner | null> {
  const pytest = (because: string) => ({ command: 'python3 -m pytest', because })
  if (paths.has('pytest.ini') || paths.has('.pytest.ini')) return pytest('there is a pytest.ini')
  for (const path of ['pyproject.toml', 'setup.cfg', 'tox.ini', 'requirements.txt', 'requirements-dev.txt']) {
    if (paths.has(path) && /pytest/.test((await read(path)) ?? '')) return pytest(`${path} names pytest`)
  }
  if (paths.has('conftest.py') || paths.has('tests/conftest.py')) return pytest('there is a conftest.py')
  const tests = [...paths].filter((path) => /(^|\/)(test_[^/]*|[^/]*_test|tests?)\.py$/.test(path))
  for (const path of tests.slice(0, testFilesRead)) {
    const bare = /^(import pytest|from pytest\b|(async )?def test_)/m.test((await read(path)) ?? '')
    if (bare) return pytest(`${path} is written for pytest`)
  }
  if (tests.length === 0) return null
  // Discovery only enters packages; a folder that is none has to be named.
  const loose = ['tests', 'test'].find((folder) => {
    return tests.some((path) => path.startsWith(`${folder}/`)) && !paths.has(`${folder}/__init__.py`)
  })
  const start = loose === undefined ? '' : ` -s ${loose}`
  return { command: `python3 -m unittest discover${start}`, because: 'there are Python tests' }
}

async function make({ paths, read }: Files): Promise<Runner | null> {
  const path = ['GNUmakefile', 'makefile', 'Makefile'].find((name) => paths.has(name))
  if (path === undefined) return null
  const text = (await read(path)) ?? ''
  const target = ['test', 'check'].find((name) => new RegExp(`^${name}\\s*:(?!=)`, 'm').test(text))
  return target === undefined
    ? null
    : { command: `make ${target}`, because: `${path} has the target ${target}` }
}

async function maven({ paths }: Files): Promise<Runner | null> {
  return paths.has('pom.xml') ? { command: 'mvn -o -q test', because: 'there is a pom.xml' } : null
}

async function gradle({ paths }: Files): Promise<Runner | null> {
  if (!paths.has('build.gradle') && !paths.has('build.gradle.kts')) return null
  const program = paths.has('gradlew') ? './gradlew' : 'gradle'
  return { command: `${program} test --offline`, because: 'there is a Gradle build' }
}

async function phpunit({ paths, read }: Files): Promise<Runner | null> {
  const configured = ['phpunit.xml', 'phpunit.xml.dist', 'phpunit.dist.xml'].some((path) => paths.has(path))
  const composer = paths.has('composer.json') ? ((await read('composer.json')) ?? '') : ''
  if (/"scripts"\s*:\s*\{[^}]*"test"\s*:/.test(composer)) {
    return { command: 'composer test', because: 'composer.json has a test script' }
  }
  if (!configured && !/phpunit/.test(composer)) return null
  const command = 'if [ -x vendor/bin/phpunit ]; then vendor/bin/phpunit; else phpunit; fi'
  return { command, because: 'PHPUnit is configured' }
}

async function mix({ paths }: Files): Promise<Runner | null> {
  return paths.has('mix.exs') ? { command: 'mix test', because: 'there is a mix.exs' } : null
}

async function ruby({ paths, read }: Files): Promise<Runner | null> {
  const specs = paths.has('.rspec') || [...paths].some((path) => /^spec\/.*_spec\.rb$/.test(path))
  const prefix = paths.has('Gemfile') ? 'bundle exec ' : ''
  if (specs) return { command: `${prefix}rspec`, because: 'there are RSpec files' }
  if (!paths.has('Rakefile') || !/TestTask|task\s*\(?\s*:?["']?test\b/.test((await read('Rakefile')) ?? ''))
    return null
  return { command: `${prefix}rake test`, because: 'the Rakefile has a test task' }
}

async function cmake({ paths, read }: Files): Promise<Runner | null> {
  if (!paths.has('CMakeLists.txt')) return null
  if (!/enable_testing|include\s*\(\s*CTest/i.test((await read('CMakeLists.txt')) ?? '')) return null
  // Built outside the work tree, so that git_clean still means what it says.
  const build = 'cmake -S . -B /tmp/muster-build && cmake --build /tmp/muster-build'
  return {
    command: `${build} && ctest --test-dir /tmp/muster-build --output-on-failure`,
    because: 'CMake has tests',
  }
}

async function deno({ paths }: Files): Promise<Runner | null> {
  if (!paths.has('deno.json') && !paths.has('deno.jsonc')) return null
  return { command: 'deno test --no-remote', because: 'there is a deno.json' }
}
