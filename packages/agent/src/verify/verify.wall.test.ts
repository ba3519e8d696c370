import { expect, test } from 'vitest'
import type { Check } from './check.ts'
import { newRun, type Work } from './new-run.fixture.ts'

const tests: Check = { kind: 'test_passes', target: 'auto' }
const clean: Check = { kind: 'git_clean', target: '' }
const works = `import unittest, app\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(app.add(1, 2), 3)\n`
const project = { 'app.py': 'def add(a, b):\n    return a - b\n', 'tests/test_app.py': works }
const solved = { 'app.py': 'def add(a, b):\n    return a + b\n' }

test('a run that solves the task passes, and the tree is clean after the checks', async () => {
  const run = await newRun(project, { files: solved })
  const report = await run([tests, clean, { kind: 'file_exists', target: 'app.py' }])
  expect(report).toMatchObject({
    overall: 'pass',
    // Three that were asked for, and that the tests can fail.
    totals: { pass: 4 },
    proof: { restored: [], removed: [], merged: [] },
  })
  expect(report.checks[0]?.output).toContain('$ python3 -m unittest discover -s tests')
})

const cheats: [string, Work][] = [
  ['empties the failing test', { files: { 'tests/test_app.py': '' } }],
  ['deletes the failing test', { gone: ['tests/test_app.py'] }],
  [
    'replaces the test folder by a link to one of its own',
    { gone: ['tests'], files: { 'mine/test_app.py': works.replace('3', '-1') }, links: { tests: 'mine' } },
  ],
  ['replaces the test folder by a file', { gone: ['tests'], files: { tests: '' } }],
  [
    'puts a test library of its own in the place of unittest',
    { files: { 'unittest/__main__.py': 'import sys; sys.exit(0)' } },
  ],
]

test.each(cheats)('a run that %s fails', async (_, work) => {
  const run = await newRun(project, work)
  const report = await run([tests, clean])
  expect(report.checks[0]).toMatchObject({
    status: 'fail',
    output: expect.stringContaining('-1 != 3') as string,
  })
  expect(report.checks[1]?.status).toBe('pass')
  expect(report.overall).toBe('fail')
})

const tampering: [string, string, 'fail' | 'error'][] = [
  ['rewrites the tests', "open('tests/test_app.py', 'w').write('import unittest')", 'fail'],
  ['deletes the tests', "import shutil; shutil.rmtree('tests')", 'fail'],
  [
    'rewrites the tests and breaks the repository',
    "import shutil; shutil.rmtree('.git'); open('tests/test_app.py', 'w').write('import unittest')",
    'error',
  ],
]
test.each(tampering)(
  'a program that %s while an earlier check runs it does not pass',
  async (_, code, status) => {
    const run = await newRun(project, { files: { 'app.py': `def add(a, b):\n    return a - b\n${code}\n` } })
    const report = await run([{ kind: 'command_succeeds', target: 'python3 -B app.py' }, tests])
    expect(report.checks.map((check) => check.status)).toEqual(['pass', status])
  },
)

test.each([
  ['a test library of its own', "os.mkdir('unittest'); put('unittest/__main__.py')", 'unittest/__main__.py'],
  [
    'a link to one that it brought along',
    "os.mkdir('lib'); put('lib/__main__.py'); os.symlink('lib', 'unittest')",
    'unittest',
  ],
  [
    'a file that pytest loads first, out of the sight of git',
    "put('tests/conftest.py'); hide()",
    'tests/conftest.py',
  ],
])(
  '%s, which a program adds while an earlier check runs it, is gone before the next',
  async (_, code, path) => {
    const program = `
import os, subprocess
def put(path): open(path, 'w').write('import os; os._exit(0)')
def hide(): subprocess.run(['git', 'add', '-A'], check=True); open('.git/info/exclude', 'w').write('*')
`
    const added = { 'app.py': `def add(a, b):\n    return a - b\n`, 'tool.py': `${program}${code}\n` }
    const run = await newRun({ ...project, 'tests/__init__.py': '' }, { files: added })
    const report = await run([
      { kind: 'command_succeeds', target: `mkdir -p .git/info; python3 -B tool.py && test -e ${path}` },
      { kind: 'command_succeeds', target: `! test -e ${path} && ! test -L ${path}` },
      tests,
    ])
    expect(report.checks.map(({ status }) => status)).toEqual(['pass', 'pass', 'fail'])
    expect(report.proof.removed.map((entry) => entry.path)).toEqual([path])
    expect(report.proof.removed[0]?.why).toContain('added by a check')
  },
)

test('a program that closes a folder, so that what it added cannot be listed, proves nothing', async () => {
  const close = "import os; os.mkdir('unittest'); open('unittest/__main__.py', 'w'); os.chmod('unittest', 0)"
  const run = await newRun(project, { files: { 'tool.py': close } })
  const report = await run([{ kind: 'command_succeeds', target: 'python3 -B tool.py' }, tests])
  expect(report.checks.map(({ status }) => status)).toEqual(['pass', 'error'])
  expect(report.checks[1]?.reason).toContain('could not be listed')
})

test('installed packages, and a configuration that a build copies beside no test, stay for a later check', async () => {
  const run = await newRun(project, { files: solved })
  const paths = [
    'node_modules/x/jest.config.js',
    'venv/lib/site-packages/a.pth',
    'out/jest.config.js',
    'vendor/bin/x',
  ]
  const build = paths.map((path) => `mkdir -p $(dirname ${path}) && touch ${path}`).join(' && ')
  const report = await run([
    { kind: 'command_succeeds', target: build },
    { kind: 'command_succeeds', target: `ls ${paths.join(' ')}` },
  ])
  expect(report.checks.map(({ status }) => status)).toEqual(['pass', 'pass'])
  expect(report.proof.removed).toEqual([])
})

test('what an earlier check builds is there for a later one', async () => {
  const run = await newRun(project, { files: solved })
  const build: Check = { kind: 'command_succeeds', target: 'mkdir out && cp app.py out' }
  const report = await run([build, { kind: 'command_succeeds', target: 'test -f out/app.py' }, tests])
  expect(report.checks.map((check) => check.status)).toEqual(['pass', 'pass', 'pass', 'pass'])
})

test('an edited test script and an added pretest count for nothing, and the report says which keys came back', async () => {
  const base = {
    'package.json': '{"scripts":{"test":"node check.js"}}',
    'check.js': "process.exit(require('fs').existsSync('done') ? 0 : 1)",
  }
  const edited = '{"scripts":{"test":"true","pretest":"touch done"},"version":"2.0.0"}'
  const run = await newRun(base, { files: { 'package.json': edited } })
  const report = await run([tests, clean])
  expect(report.checks.map(({ status }) => status)).toEqual(['fail', 'pass'])
  expect(report.proof.merged).toMatchObject([
    { path: 'package.json', keys: ['scripts.test', 'scripts.pretest'] },
  ])
})

test('files that are loaded unasked are left out, and still count as files of the result', async () => {
  const added = { ...solved, 'conftest.py': 'raise SystemExit(0)', 'sitecustomize.py': 'raise SystemExit(0)' }
  const run = await newRun(project, { files: added })
  const there: Check = { kind: 'file_exists', target: 'conftest.py' }
  const report = await run([{ kind: 'command_succeeds', target: '! ls conftest.py sitecustomize.py' }, there])
  expect(report.overall).toBe('pass')
  expect(report.proof.removed.map(({ path }) => path)).toEqual(['conftest.py', 'sitecustomize.py'])
})

test('what the task may change is judged as the run left it', async () => {
  const run = await newRun(project, { files: { 'tests/test_app.py': works.replace('3', '-1') } })
  expect(await run([tests], { mayChange: ['tests/**'] })).toMatchObject({
    overall: 'pass',
    proof: { restored: [] },
  })
})

test('a file the run deleted does not exist because the proof brought it back', async () => {
  const run = await newRun(project, { gone: ['tests/test_app.py'] })
  const report = await run([{ kind: 'file_exists', target: 'tests/test_app.py' }])
  expect(report.checks[0]).toMatchObject({
    status: 'fail',
    reason: 'There is no file or folder tests/test_app.py.',
  })
})

test('odd names are restored like any other', async () => {
  const names = ['tests/-rf', 'tests/a b', 'tests/ü\n.txt', 'tests/:(top)*', '-x.test.js']
  const files = Object.fromEntries(names.map((name) => [name, 'base']))
  const run = await newRun(files, { files: Object.fromEntries(names.map((name) => [name, 'run'])) })
  const report = await run([
    { kind: 'command_succeeds', target: 'test "$(cat tests/* ./-x.test.js)" = basebasebasebasebase' },
  ])
  expect(report.overall).toBe('pass')
  expect(report.proof.restored.map(({ path }) => path).toSorted()).toEqual(names.toSorted())
})

test('every check is run after a failed one, and each ending has its own status', async () => {
  const run = await newRun(project, { files: solved, links: { out: '/etc/passwd', up: '..' } })
  const command = (target: string, timeoutMs?: number): Check =>
    timeoutMs === undefined
      ? { kind: 'command_succeeds', target }
      : { kind: 'command_succeeds', target, timeoutMs }
  const eater = `python3 -c "x = []\nwhile True: x.append(bytes(10**7))"`
  const report = await run([
    command('echo said; exit 3'),
    command('sleep 30', 300),
    command('exit 0'),
    command(eater),
    { kind: 'file_exists', target: 'out' },
    { kind: 'file_exists', target: 'up/workspace/app.py' },
    { kind: 'file_exists', target: '../etc' },
    command('touch left-behind'),
    clean,
    { kind: 'file_exists', target: 'left-behind' },
    { kind: 'test_passes', target: 'echo "Ran 0 tests in 0.0s"' },
  ])
  const statuses = report.checks.map(({ status }) => status)
  expect(statuses.filter((_, at) => at !== 3)).toEqual([
    'fail',
    'timeout',
    'pass',
    'fail',
    'pass',
    'error',
    'pass',
    'fail',
    'pass',
    'fail',
  ])
  expect(report.checks[0]).toMatchObject({ output: 'said\n', reason: 'The command ended with exit code 3.' })
  expect(report.checks[3]).toMatchObject({ status: expect.stringMatching(/error|fail/) as string })
  expect(report.checks[8]?.output).toContain('?? left-behind')
  for (const { status, reason } of report.checks) expect(reason === undefined).toBe(status === 'pass')
  expect(report.overall).toBe('error')
})

test('no runner found is an error that says what was looked for', async () => {
  const run = await newRun({ 'README.md': 'x' }, { files: { 'README.md': 'y' } })
  const report = await run([tests])
  expect(report.checks[0]).toMatchObject({
    status: 'error',
    reason: expect.stringContaining('package.json') as string,
  })
})

test('an overlay that cannot be made proves nothing', async () => {
  const run = await newRun(project, { files: { 'tests/test_app.py': '' } })
  const report = await run([{ kind: 'command_succeeds', target: 'true' }], { base: 'f'.repeat(40) })
  expect(report.checks[0]).toMatchObject({
    status: 'error',
    reason: expect.stringContaining('taken from the base') as string,
  })
})

test('a request to stop ends the verification without a report', async () => {
  const run = await newRun(project, { files: solved })
  const stop = new AbortController()
  const report = run([{ kind: 'command_succeeds', target: 'sleep 30' }], {
    signal: stop.signal,
    onProgress: ({ step }) => step === 'checking' && setTimeout(() => stop.abort(), 100),
  })
  await expect(report).rejects.toThrow('aborted')
})
