import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Check } from './check.ts'
import { matchesGlob } from './glob.ts'
import { proofPart, suspectPatterns, type TreeEntry } from './proof-files.ts'
import { planProof, strayRule, type PlanInput, type ProofPlan } from './proof-plan.ts'

type Tree = Record<string, string>

/** `link:` and `sub:` in front of a content make the entry a symbolic link or a submodule. */
function entries(tree: Tree): TreeEntry[] {
  return Object.entries(tree).map(([path, blob]) => {
    const mode = blob.startsWith('link:') ? '120000' : blob.startsWith('sub:') ? '160000' : '100644'
    return { path, mode, blob }
  })
}

function plan(base: Tree, commit: Tree, more: Partial<PlanInput> = {}): ProofPlan {
  return planProof({ base: entries(base), commit: entries(commit), checks: [], mayChange: [], ...more })
}

function paths(found: ProofPlan) {
  const names = (list: { path: string }[]) => list.map(({ path }) => path).toSorted()
  return { restore: names(found.restore), remove: names(found.remove), merge: names(found.merge) }
}

const nothing = { restore: [], remove: [], merge: [] }

test.each([
  'test/a.js',
  'tests/unit/fixtures/x.json',
  'src/__tests__/a.tsx',
  'src/__snapshots__/a.snap',
  'spec/a_spec.rb',
  'src/user.test.ts',
  'src/user.spec.js',
  'pkg/user_test.go',
  'test_user.py',
  'app/user_test.py',
  'conftest.py',
  'src/UserTest.java',
  'src/UserTests.kt',
  'UserTest.php',
  'x.bats',
  't/basic.t',
  'test.js',
  'run-tests.sh',
  'jest.config.cjs',
  'vitest.config.ts',
  'vite.config.ts',
  '.mocharc.yml',
  'pytest.ini',
  'tox.ini',
  'setup.cfg',
  'phpunit.xml.dist',
  '.rspec',
  '.npmrc',
  'bunfig.toml',
  'deno.json',
  'Makefile',
  'pyproject.toml',
  'Cargo.toml',
  'go.mod',
  'pom.xml',
  'build.gradle.kts',
  'playwright.config.ts',
  'karma.conf.js',
  'noxfile.py',
  '.cargo/config.toml',
  '.github/workflows/ci.yml',
  '.gitlab-ci.yml',
  '.circleci/config.yml',
  'Jenkinsfile',
  'azure-pipelines.yml',
  '.travis.yml',
  '.buildkite/pipeline.yml',
  '.drone.yml',
  'testdata/golden',
  'tests/with space.py',
])('%s comes from the base when a run changes or deletes it', (path) => {
  const changed = plan({ [path]: 'old' }, { [path]: 'new' })
  expect(paths(changed)).toEqual({ ...nothing, restore: [path] })
  expect(changed.restore[0]?.why).toContain('changed by the run')
  expect(plan({ [path]: 'old' }, {}).restore[0]?.why).toContain('deleted by the run')
})

test.each([
  'src/latest.ts',
  'src/contest.py',
  'src/features/login.ts',
  'README.md',
  'docs/testing.md',
  'attestation.go',
  'openapi-spec.yaml',
  'src/inspector.ts',
  'src/spec-parser.ts',
  'app.js',
  'greatest.rs',
])('%s is the run’s to change', (path) => {
  expect(plan({ [path]: 'old', 'test/a.js': '1' }, { [path]: 'new', 'test/a.js': '1' })).toEqual(nothing)
})

const tested = { 'test/a.js': '1', Makefile: 'm', 'package.json': 'p' }

test.each([
  'conftest.py',
  'tests/new/conftest.py',
  'sitecustomize.py',
  'lib/usercustomize.py',
  'x.pth',
  'jest.config.js',
  '.npmrc',
  'GNUmakefile',
  'makefile',
  'setup.cfg',
  'pytest.ini',
  'pyproject.toml',
  '.github/workflows/new.yml',
  '.cargo/config.toml',
  'node_modules/.bin/jest',
  'pytest.py',
  'unittest.pyc',
  'unittest.cpython-311-x86_64-linux-gnu.so',
  'sitecustomize.abi3.so',
  '.mocharc.json',
  'vitest.config.ts',
  'deno.json',
])('%s that a run adds beside existing tests is left out of the proof', (path) => {
  expect(paths(plan(tested, { ...tested, [path]: 'new' }))).toEqual({ ...nothing, remove: [path] })
})

test('a link that a run adds counts as the folder it may stand for', () => {
  const added = { ...tested, unittest: 'link:lib', 'lib/x.py': 'x', docs: 'link:lib' }
  expect(paths(plan(tested, added))).toEqual({ ...nothing, remove: ['unittest'] })
})

test('every file that a run may not add is one that grep finds by the suspect patterns', () => {
  const names = ['GNUmakefile', 'sub/makefile', 'unittest/', 'unittest.pyc', 'a/sitecustomize.x.so', 'x.pth']
  names.push(
    '.github/workflows/x.yml',
    '.gitlab-ci.yml',
    'a/conftest.py',
    'tests/jest.config.mjs',
    '.npmrc',
    'tox.ini',
  )
  names.push('.cargo/config', 'a/.mvn/x', 'node_modules/x', 'vite.config.ts', 'sub/.mocharc.json', 'go.work')
  const list = [...names, 'src/app.py', 'README.md'].map((name) => `./${name}\0`).join('')
  const found = execFileSync('grep', ['-zaE', '-e', suspectPatterns().join('|')], { input: list }).toString()
  expect(found.split('\0').filter(Boolean)).toEqual(names.map((name) => `./${name}`))
})

const stray = (base: Tree, commit: Tree, more: Partial<PlanInput> = {}) => {
  const input = { base: entries(base), commit: entries(commit), checks: [], mayChange: [], ...more }
  return strayRule(input, planProof(input))
}

test.each([
  ['conftest.py', true],
  ['unittest/__init__.py', true],
  ['unittest/', true],
  ['GNUmakefile', true],
  ['test/jest.config.js', true],
  ['.github/workflows/x.yml', false],
  ['dist/jest.config.js', false],
  ['dist/conftest.py', false],
  ['dist/sitecustomize.py', true],
  ['node_modules/jest/jest.config.js', false],
  ['venv/lib/site-packages/x.pth', false],
  ['dist/app.js', false],
  ['test/new.js', false],
  ['tox.ini', false],
  ['linked/', false],
])('%s that a check adds is taken away before the next: %s', (path, isTaken) => {
  // tox.ini is the run's own and came through the plan, as the one of the base would.
  const base = { ...tested, 'tox.ini': 't' }
  const rule = stray(base, { ...base, linked: 'link:dist' })
  expect(rule(path) !== null).toBe(isTaken)
})

test('a file that the plan left out is taken away when a check makes it again, unless the task may change it', () => {
  const commit = { ...tested, 'conftest.py': 'x' }
  expect(stray(tested, commit)('conftest.py')).toContain('added by a check')
  expect(stray(tested, commit, { mayChange: ['conftest.py'] })('conftest.py')).toBeNull()
})

test.each([
  'test/b.js',
  'src/new.test.ts',
  'test_new.py',
  'tests/fixtures/new.json',
  'Cargo.toml',
  'src/x.js',
])('%s that a run adds is kept', (path) => {
  expect(plan(tested, { ...tested, [path]: 'new' })).toEqual(nothing)
})

test('a repository without tests or builds has no proof to protect, except from files that load unasked', () => {
  const added = { 'README.md': '1', 'conftest.py': 'x', 'pyproject.toml': 'x', 'sitecustomize.py': 'x' }
  expect(paths(plan({ 'README.md': '1' }, added))).toEqual({ ...nothing, remove: ['sitecustomize.py'] })
})

test('package.json is merged when both are files, and restored whole when a link took its place', () => {
  expect(paths(plan({ 'package.json': 'a' }, { 'package.json': 'b' }))).toEqual({
    ...nothing,
    merge: ['package.json'],
  })
  const linked = plan({ 'package.json': 'a' }, { 'package.json': 'link:/etc/passwd' })
  expect(paths(linked)).toEqual({ ...nothing, restore: ['package.json'] })
  expect(linked.restore[0]?.why).toContain('replaced by a symbolic link')
})

test.each(['link:../evil', 'sub:1234', 'file'])(
  'a test folder replaced by %s is cleared and restored',
  (blob) => {
    const found = plan({ 'tests/unit/a.py': '1' }, { 'tests/unit': blob, 'evil/a.py': '2' })
    expect(paths(found)).toEqual({ ...nothing, restore: ['tests/unit/a.py'], remove: ['tests/unit'] })
  },
)

test('a folder in the place of a protected file is cleared and the file restored', () => {
  const found = plan({ Makefile: 'm' }, { 'Makefile/x': '1' })
  expect(paths(found)).toEqual({ ...nothing, restore: ['Makefile'], remove: ['Makefile'] })
})

test('a script that a check runs comes from the base, and so does one that the base’s own test command runs', () => {
  const checks: Check[] = [{ kind: 'command_succeeds', target: 'sh accept.sh' }]
  const base = { 'accept.sh': '1', 'judge.sh': '1', 'deep.sh': '1', 'app.sh': '1' }
  const commit = { 'accept.sh': '2', 'judge.sh': '2', 'deep.sh': '2', 'app.sh': '2' }
  const baseTexts = {
    Makefile: 'test:\n\t@sh judge.sh\n',
    'package.json': '{"scripts":{"test":"./deep.sh","x":"./app.sh"}}',
  }
  expect(paths(plan(base, commit, { checks, baseTexts })).restore).toEqual([
    'accept.sh',
    'deep.sh',
    'judge.sh',
  ])
})

test('files that the task may change are exempt from restoring, merging and removing', () => {
  const base = { 'tests/a.py': '1', 'tests/b.py': '1', 'package.json': '1' }
  const commit = { 'tests/a.py': '2', 'tests/b.py': '2', 'package.json': '2', 'conftest.py': '2' }
  const mayChange = ['tests/a.*', 'package.json', '**/conftest.py']
  expect(paths(plan(base, commit, { mayChange }))).toEqual({ ...nothing, restore: ['tests/b.py'] })
})

const name = fc.oneof(
  fc.constantFrom(
    'test',
    'tests',
    'spec',
    'Makefile',
    'conftest.py',
    'a.test.ts',
    'package.json',
    'src',
    '-rf',
    'x y',
    'é\n',
  ),
  fc.stringMatching(/^[a-z\-. \n]{1,3}$/).filter((part) => part !== '.' && part !== '..'),
)
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const content = fc.constantFrom('1', '2', 'link:x', 'sub:x')

/** Git has no file that is also a folder. */
const tree = fc.dictionary(path, content, { maxKeys: 12 }).map((found) => {
  const names = Object.keys(found)
  return Object.fromEntries(
    Object.entries(found).filter(([one]) => !names.some((other) => other.startsWith(`${one}/`))),
  )
})

test('no protected file of the base that differs is ever missing from the plan', () => {
  fc.assert(
    fc.property(
      tree,
      tree,
      fc.array(fc.constantFrom('tests/**', '**/*.py', 'none')),
      (base, commit, mayChange) => {
        const found = plan(base, commit, { mayChange })
        const taken = new Set([...found.restore, ...found.merge].map((entry) => entry.path))
        for (const [path, blob] of Object.entries(base)) {
          const isFree = mayChange.some((glob) => matchesGlob(path, glob))
          const differs = commit[path] !== blob
          expect(taken.has(path), path).toBe(proofPart(path) !== null && differs && !isFree)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('after the removals nothing of the commit stands in the way of a restored file', () => {
  fc.assert(
    fc.property(tree, tree, (base, commit) => {
      const found = plan(base, commit)
      const removed = found.remove.map((entry) => entry.path)
      const left = Object.keys(commit).filter(
        (path) => !removed.some((gone) => path === gone || path.startsWith(`${gone}/`)),
      )
      for (const { path } of found.restore) {
        expect(left.filter((other) => path.startsWith(`${other}/`) || other.startsWith(`${path}/`))).toEqual(
          [],
        )
      }
    }),
    { numRuns: 1000 },
  )
})

test('a commit that is its base needs no plan, and every entry of any plan says why', () => {
  fc.assert(
    fc.property(tree, tree, (base, commit) => {
      expect(plan(base, base)).toEqual(nothing)
      const { restore, remove, merge } = plan(base, commit)
      for (const { why } of [...restore, ...remove, ...merge]) expect(why.length).toBeGreaterThan(10)
    }),
  )
})
