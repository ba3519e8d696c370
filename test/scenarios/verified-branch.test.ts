import { exampleProjects, type ExampleProject } from '@muster/testkit/example-projects'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { personRepo } from './person-repo.ts'
import { startStack, type Stack } from './stack.ts'
import { addAndWait, addRepo, runsOf } from './tasks-of.ts'

let stack: Stack
beforeAll(async () => void (stack = await startStack()))
afterAll(() => stack.stop())

const testChecks: Record<ExampleProject, string> = {
  npm: 'test_passes:auto',
  python: 'test_passes:auto',
  make: 'test_passes:auto',
  shell: 'test_passes:./test.sh',
}

async function newRepo(name: string, files: Record<string, string>) {
  const repo = await personRepo(files)
  onTestFinished(() => repo.remove())
  await addRepo(stack, name, repo.path)
  return repo
}

describe('a task that adds a licence', () => {
  it.each(Object.keys(exampleProjects) as ExampleProject[])(
    'ends as done on a proven branch of a %s repository and leaves everything else in it as it was',
    async (kind) => {
      const repo = await newRepo(`demo-${kind}`, exampleProjects[kind])
      const before = await repo.state()

      const { code, task, stderr } = await addAndWait(
        stack,
        `demo-${kind}`,
        'Add a licence',
        ...['--run', `printf 'MIT\\n' > LICENSE`],
        ...['--check', 'file_exists:LICENSE'],
        ...['--check', `command_succeeds:grep -q MIT LICENSE`],
        ...['--check', testChecks[kind]],
      )

      expect(code, stderr).toBe(0)
      expect(task).toMatchObject({ state: 'done', ending: 'verified', attempt: 1, worker: 'local' })
      expect(task.branch).toMatch(/^muster\/shell\/add-a-licence-[0-9a-f]{8}$/)
      const { branch, commit } = task
      if (branch === null || commit === null) throw new Error('a done task has a branch and a commit')
      expect(await repo.git('log', '-1', '--format=%H %P %s', branch)).toBe(
        `${commit} ${repo.head} Add a licence`,
      )
      expect(await repo.git('diff', '--name-status', repo.head, branch)).toBe('A\tLICENSE')
      expect(await repo.git('show', `${branch}:LICENSE`)).toBe('MIT')

      const [run] = await runsOf(stack, task.id)
      expect(run).toMatchObject({ ending: 'verified', exitCode: 0, base: repo.head, commit, branch })
      expect(run?.report).toMatchObject({ overall: 'pass', commit, base: repo.head })
      expect(run?.report?.checks.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
        'file_exists pass',
        'command_succeeds pass',
        'test_passes pass',
        // Tests of the shell cannot be asked.
        ...(kind === 'npm' || kind === 'python' ? ['tests_can_fail pass'] : []),
      ])
      expect(task.checks).toEqual(run?.report?.checks)

      expect(await repo.state()).toEqual(before)
      expect(await repo.hooksThatRan()).toEqual([])
    },
  )
})

describe('the repository that a task is about', () => {
  it('has hooks that a commit of the person does run, so their silence means something', async () => {
    const repo = await newRepo('control', { 'a.txt': 'A\n' })
    await repo.git('commit', '--quiet', '--allow-empty', '--message=By hand')
    expect(await repo.hooksThatRan()).toEqual(
      expect.arrayContaining(['pre-commit', 'post-commit', 'reference-transaction']),
    )
  })

  it('may be bare, may be a URL, and may have a branch that is not called main', async () => {
    const repo = await newRepo('trunk', exampleProjects.npm)
    await repo.git('branch', '--move', 'main', 'trunk')
    const bare = `${repo.path}-bare.git`
    await repo.git('clone', '--quiet', '--bare', repo.path, bare)
    await addRepo(stack, 'bare', `file://${bare}`)
    const { code, task } = await addAndWait(
      stack,
      'bare',
      'Say what it does',
      ...['--run', `echo '// Adds.' >> add.js`],
      ...['--check', 'command_succeeds:grep -q Adds add.js'],
    )
    expect(code, task.reason ?? '').toBe(0)
    expect(await repo.git('--git-dir', bare, 'show', `${task.branch}:add.js`)).toContain('Adds')
    expect(await repo.git('--git-dir', bare, 'symbolic-ref', 'HEAD')).toBe('refs/heads/trunk')
  })

  it('gets one branch for each of two tasks of the same title, and neither sees the other', async () => {
    const repo = await newRepo('twice', { 'a.txt': 'A\n' })
    const one = (text: string) =>
      addAndWait(
        stack,
        'twice',
        'Same title',
        '--run',
        `echo ${text} > b.txt`,
        '--check',
        'file_exists:b.txt',
      )
    const [first, second] = await Promise.all([one('first'), one('second')])
    expect([first.code, second.code]).toEqual([0, 0])
    expect(first.task.branch).not.toBe(second.task.branch)
    expect(await repo.git('show', `${first.task.branch}:b.txt`)).toBe('first')
    expect(await repo.git('show', `${second.task.branch}:b.txt`)).toBe('second')
    expect(await repo.git('rev-parse', `${second.task.branch}^`)).toBe(repo.head)
  })
})
