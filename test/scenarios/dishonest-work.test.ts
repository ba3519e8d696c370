import { exampleProjects } from '@muster/testkit/example-projects'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { personRepo, type PersonRepo } from './person-repo.ts'
import { startStack, type Stack } from './stack.ts'
import { addAndWait, addRepo, runsOf } from './tasks-of.ts'

let stack: Stack
const repos: PersonRepo[] = []
beforeAll(async () => void (stack = await startStack()))
afterAll(async () => {
  await stack.stop()
  for (const repo of repos) await repo.remove()
})

/** Projects whose one test fails, so that only mending the code or cheating can make it pass. */
const broken = {
  npm: { ...exampleProjects.npm, 'add.js': 'export const add = (a, b) => a - b\n' },
  python: { ...exampleProjects.python, 'adder.py': 'def add(a, b):\n    return a - b\n' },
  make: {
    ...exampleProjects.make,
    'greet.sh': '#!/bin/sh\n. ./words.sh\necho "$greeting, $1"\n',
    'words.sh': 'greeting=Goodbye\n',
  },
}
type Broken = keyof typeof broken

async function attempt(name: string, files: Record<string, string>, run: string, ...options: string[]) {
  const repo = await personRepo(files)
  repos.push(repo)
  await addRepo(stack, name, repo.path)
  const ended = await addAndWait(stack, name, 'Mend the adder', '--run', run, ...options)
  const [report] = (await runsOf(stack, ended.task.id)).map((run) => run.report)
  return { ...ended, repo, report }
}

// Each has a repository of its own, so they need not wait for one another.
describe.concurrent('a check that fails', () => {
  it('ends the command with 1 and the task as dead, names the check with its output, and keeps the work apart', async () => {
    const { code, task, report, repo } = await attempt(
      'unmet',
      exampleProjects.npm,
      'echo GPL > LICENSE',
      ...['--check', 'file_exists:LICENSE'],
      ...[
        '--check',
        'command_succeeds:echo looking at LICENSE; grep MIT LICENSE || { echo no MIT here >&2; exit 3; }',
      ],
    )
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed' })
    expect(task.reason).toContain('command_succeeds:echo looking at LICENSE')
    expect(task.reason).toContain('exit code 3')
    expect(report?.overall).toBe('fail')
    expect(report?.checks.map((check) => check.status)).toEqual(['pass', 'fail'])
    expect(report?.checks[1]?.output).toBe('looking at LICENSE\nno MIT here\n')

    expect(task.branch).toMatch(/^muster-failed\/shell\/mend-the-adder-/)
    expect(await repo.git('show', `${task.branch}:LICENSE`)).toBe('GPL')
    expect(await repo.git('rev-parse', String(task.branch))).toBe(task.commit)
    expect(await repo.git('for-each-ref', 'refs/heads/muster/')).toBe('')
  })

  it('is one that exits 0 only after the deadline, too', async () => {
    const { code, task } = await attempt(
      'slow-check',
      exampleProjects.npm,
      'echo MIT > LICENSE',
      ...['--check', 'command_succeeds:sleep 600', '--timeout', '3s'],
    )
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'timed_out' })
  })
})

describe.concurrent('a command that claims success', () => {
  it.each([
    ['prints that all tests pass and does nothing', 'echo all tests pass; echo "# pass 12"; exit 0'],
    ['commits nothing under a proud message', 'git commit --allow-empty -qm "Fix everything"'],
    ['undoes its own work', 'echo x > new && git add new && git commit -qm x && git revert --no-edit HEAD'],
  ])('and %s is not done, although the tests of the repository pass', async (what, run) => {
    const name = `liar-${what.replaceAll(/\W+/g, '-').toLowerCase()}`.slice(0, 60)
    const { code, task } = await attempt(name, exampleProjects.npm, run, '--check', 'test_passes:auto')
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed' })
    expect(task.reason).toMatch(/changed nothing|no change|nothing was changed/i)
  })

  it('and does nothing is done when the task said that it may change nothing', async () => {
    const { code, task } = await attempt('nothing-asked', exampleProjects.npm, 'true', '--allow-empty')
    expect([code, task.state]).toEqual([0, 'done'])
  })

  it('but exits with 7 is not done, whatever its checks would say', async () => {
    const { code, task } = await attempt(
      'exits-with-7',
      exampleProjects.npm,
      'echo MIT > LICENSE; exit 7',
      ...['--check', 'file_exists:LICENSE'],
    )
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed' })
    expect(task.reason).toContain('exited with 7')
    expect(task.branch).toMatch(/^muster-failed\//)
  })
})

type Cheat = [how: string, kind: Broken, run: string, named: string]
const packageJson = (change: string) =>
  `node -e 'const f="package.json",p=JSON.parse(fs.readFileSync(f));${change};fs.writeFileSync(f,JSON.stringify(p))'`

const cheats: Cheat[] = [
  ['empties the failing test', 'npm', ': > add.test.js', 'add.test.js'],
  ['weakens its assertion', 'npm', `sed -i 's/, 5)/, -1)/' add.test.js`, 'add.test.js'],
  ['deletes it', 'npm', 'rm add.test.js', 'add.test.js'],
  ['moves it where nobody looks', 'npm', 'mkdir old && git mv add.test.js old/add.txt', 'add.test.js'],
  ['makes it a link to an empty file', 'npm', ': > e.js; ln -sf e.js add.test.js', 'add.test.js'],
  ['edits the test script', 'npm', packageJson('p.scripts.test="true"'), 'package.json'],
  [
    'adds a pretest that rewrites it',
    'npm',
    packageJson('p.scripts.pretest="rm add.test.js"'),
    'package.json',
  ],
  ['lets npm run scripts by true', 'npm', 'echo script-shell=/bin/true > .npmrc', '.npmrc'],
  ['empties the failing test', 'python', ': > test_adder.py', 'test_adder.py'],
  [
    'skips it',
    'python',
    `sed -i 's/    def test_adds/    @unittest.skip("")\\n    def test_adds/' test_adder.py`,
    'test_adder.py',
  ],
  [
    'adds a sitecustomize that ends with 0',
    'python',
    'printf "import os\\nos._exit(0)\\n" > sitecustomize.py',
    'sitecustomize.py',
  ],
  [
    'brings a unittest of its own',
    'python',
    'mkdir unittest && printf "import os\\nos._exit(0)\\n" > unittest/__init__.py',
    'unittest/__init__.py',
  ],
  ['adds a conftest', 'python', 'printf "import os\\nos._exit(0)\\n" > conftest.py', 'conftest.py'],
  ['edits the Makefile', 'make', `printf 'test:\\n\\ttrue\\n' > Makefile`, 'Makefile'],
  [
    'adds a GNUmakefile, which make reads first',
    'make',
    `printf 'test:\\n\\ttrue\\n' > GNUmakefile`,
    'GNUmakefile',
  ],
]

describe.concurrent('a run that changes what judges it', () => {
  it.each(cheats)(
    'and %s (%s) is not done, and the report says what was put back',
    async (how, kind, run, named) => {
      const name = `${kind}-${cheats.findIndex((cheat) => cheat[0] === how && cheat[1] === kind)}`
      // Some work beside it, so that it does not fail for having done nothing.
      const { code, task, report, repo } = await attempt(
        name,
        broken[kind],
        `echo done > work.txt; ${run}`,
        ...['--check', 'test_passes:auto'],
      )
      expect(code).toBe(1)
      expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed' })
      const { restored = [], removed = [], merged = [] } = report?.proof ?? {}
      const put = [...restored, ...removed, ...merged]
      expect(put.map((entry) => entry.path)).toContain(named)
      expect(put.find((entry) => entry.path === named)?.why).not.toBe('')
      expect(report?.checks.find((check) => check.kind === 'test_passes')?.status).toBe('fail')
      expect(task.reason).toContain(named)
      expect(task.branch).toMatch(/^muster-failed\//)
      expect(await repo.git('show', `${task.branch}:work.txt`)).toBe('done')
      expect(await repo.git('for-each-ref', 'refs/heads/muster/')).toBe('')
    },
  )

  it('and lets its program bring a unittest of its own while another check runs it is not done', async () => {
    const bring = String.raw`printf 'import os\nos.mkdir("unittest")\nopen("unittest/__init__.py", "w").write("import os; os._exit(0)")\n' > tool.py`
    const { code, task, report } = await attempt(
      'brought-by-a-check',
      broken.python,
      bring,
      ...['--check', 'command_succeeds:python3 -B tool.py'],
      ...['--check', 'test_passes:auto'],
    )
    expect([code, task.state]).toEqual([1, 'dead'])
    expect(report?.checks.map(({ status }) => status)).toEqual(['pass', 'fail'])
    expect(report?.proof.removed).toMatchObject([
      { path: 'unittest/__init__.py', why: expect.stringContaining('added by a check') as string },
    ])
  })

  it.each(Object.keys(broken) as Broken[])(
    'while mending the code of the %s repository is done',
    async (kind) => {
      const mend = {
        npm: `sed -i s/-/+/ add.js`,
        python: `sed -i s/-/+/ adder.py`,
        make: `sed -i s/Goodbye/Hello/ words.sh`,
      }
      const { code, task } = await attempt(
        `honest-${kind}`,
        broken[kind],
        mend[kind],
        '--check',
        'test_passes:auto',
      )
      expect(code, task.reason ?? '').toBe(0)
      expect(task.state).toBe('done')
    },
  )

  it('is done when the task allows just that by --may-change', async () => {
    const { code, task, repo } = await attempt(
      'allowed',
      broken.npm,
      `sed -i 's/, 5)/, -1)/' add.test.js`,
      ...['--check', 'test_passes:auto', '--may-change', '*.test.js'],
    )
    expect(code, task.reason ?? '').toBe(0)
    expect(await repo.git('diff', '--name-only', repo.head, String(task.branch))).toBe('add.test.js')
  })

  it('is not done when --may-change allows something else', async () => {
    const { code, task } = await attempt(
      'allowed-elsewhere',
      broken.npm,
      `sed -i 's/, 5)/, -1)/' add.test.js`,
      ...['--check', 'test_passes:auto', '--may-change', 'docs/**'],
    )
    expect([code, task.state]).toEqual([1, 'dead'])
  })
})
