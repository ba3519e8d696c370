import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { task as taskOf } from '@muster/contract/tasks'
import { eventually } from '@muster/testkit/eventually'
import { exampleProjects } from '@muster/testkit/example-projects'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { personRepo } from './person-repo.ts'
import { run, stepsOf, writeScript, type Turn } from './practice.ts'
import { startStack, type Stack } from './stack.ts'
import { addAndWait, addRepo, eventsOf, runsOf } from './tasks-of.ts'

let stack: Stack
let scripts: string
beforeAll(async () => {
  stack = await startStack()
  scripts = await mkdtemp(join(tmpdir(), 'muster-scripts-'))
})
afterAll(async () => {
  await stack.stop()
  await rm(scripts, { recursive: true, force: true })
})

const write = (path: string, content: string): Turn => ({
  calls: [{ tool: 'write_file', args: { path, content } }],
})

const script = (...turns: Turn[]) => writeScript(scripts, turns)

async function newRepo(name: string, files: Record<string, string> = exampleProjects.npm) {
  const repo = await personRepo(files)
  onTestFinished(() => repo.remove())
  await addRepo(stack, name, repo.path)
  return repo
}

const prompted = (path: string, ...more: string[]) => ['--prompt', 'Do it', '--practice', path, ...more]

describe('muster demo on a machine without a model', () => {
  it('ends with a verified branch, made in visible steps by a model that says what it is', async () => {
    const { code, stdout, stderr } = await stack.muster('demo', '--json')
    expect(code, stderr).toBe(0)
    const task = taskOf.parse(JSON.parse(stdout))
    expect(task).toMatchObject({ state: 'done', ending: 'verified', practice: true })
    expect(task.branch).toMatch(/^muster\/loop\/make-the-total-right-/)
    expect(task.checks).toMatchObject([
      { kind: 'test_passes', status: 'pass' },
      { kind: 'tests_can_fail', status: 'pass' },
    ])

    const steps = await stepsOf(stack, task.id)
    expect(steps.map((step) => step.seq)).toEqual(steps.map((_, at) => at + 1))
    const models = steps.filter((step) => step.kind === 'model')
    expect(models.every((step) => step.provider === 'practice' && step.model === 'practice')).toBe(true)
    expect(
      models.filter((step) => step.text !== '').every((step) => step.text.startsWith('[practice]')),
    ).toBe(true)
    const tools = steps.filter((step) => step.kind === 'tool').map((step) => step.tool)
    expect(new Set(tools)).toEqual(new Set(['list_directory', 'read_file', 'run_command', 'edit_file']))
    // Failed checks went back to it once, in the same run.
    const phases = (await eventsOf(stack, task.id)).flatMap(({ kind, data }) =>
      kind === 'task.phase' && data['phase'] === 'verifying' ? [data] : [],
    )
    expect(phases).toHaveLength(2)
    const [onlyRun] = await runsOf(stack, task.id)
    expect(onlyRun).toMatchObject({ executor: 'loop', ending: 'verified', steps: steps.length })
    await rm(repoPathIn(stderr), { recursive: true, force: true })
  })
})

describe('a task with a prompt', () => {
  it('that says it is done and did nothing is not done', async () => {
    await newRepo('idle')
    const path = await script({ say: 'All tests pass, everything is done.' })
    const { code, task } = await addAndWait(stack, 'idle', 'Idle', ...prompted(path, '--fixes', '1'))
    expect(code).toBe(1)
    expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed', branch: null })
  })

  it('whose checks fail to the end has its work kept on another branch, with what failed', async () => {
    const repo = await newRepo('wrong')
    const path = await script(
      write('add.js', 'export const add = () => 0\n'),
      { say: 'Done.' },
      { say: 'Still.' },
    )
    const { task } = await addAndWait(
      stack,
      'wrong',
      'Wrong',
      ...prompted(path, '--fixes', '1', '--check', 'test_passes:auto'),
    )
    expect(task).toMatchObject({ state: 'dead', ending: 'execution_failed' })
    expect(task.branch).toMatch(/^muster-failed\/loop\//)
    expect(task.checks).toMatchObject([{ kind: 'test_passes', status: 'fail' }])
    expect(await repo.git('branch', '--list', 'muster/*')).toBe('')
  })

  it('that is stopped at its limit is partial when only some checks pass, and says what remains', async () => {
    await newRepo('partial')
    const path = await script(...Array.from({ length: 8 }, (_, at) => write('a.txt', `${at}\n`)))
    const { task } = await addAndWait(
      stack,
      'partial',
      'Partial',
      ...prompted(path, '--tier', 'trivial', '--check', 'file_exists:a.txt', '--check', 'file_exists:b.txt'),
    )
    expect(task).toMatchObject({ state: 'dead', ending: 'partial_pass' })
    const [ended] = await runsOf(stack, task.id)
    expect(ended?.partial?.done.join()).toContain('a.txt')
    expect(ended?.partial?.remaining.join()).toContain('b.txt')
  })

  it('whose model has no quota waits, and goes on behind its last step without a person', async () => {
    await newRepo('quota')
    // The turn is counted from the answers, so a call that failed is asked again: only what comes before it is played once.
    const path = await script(run('echo one >> log.txt'), { fail: 'quota' })
    const added = await stack.muster(
      ...['task', 'add', '--repo', 'quota', '--title', 'Quota', ...prompted(path), '--json'],
    )
    const { id } = taskOf.parse(added.json())
    const parked = await eventually(async () => {
      const events = await eventsOf(stack, id)
      return events.find(({ kind }) => kind === 'run.parked')
    })
    expect(parked?.data['reason']).toMatch(/quota/)
    const waiting = taskOf.parse((await stack.api(`/tasks/${id}`)).body)
    expect(waiting).toMatchObject({ state: 'queued', failures: 0 })
    expect(Date.parse(waiting.notBefore ?? '')).toBeGreaterThan(Date.now())
    await stack.muster('task', 'cancel', id)
  })
})

function repoPathIn(stderr: string): string {
  return /is at (\S+muster-demo-\w+)/.exec(stderr)?.[1] ?? '/nonexistent'
}
