import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { startFakeOllama, type FakeOllama } from '@muster/testkit/models/fake-ollama'
import { liars, lies, lyingAgent } from '@muster/testkit/models/lying-agent'
import { lyingProjects, type LyingProject } from '@muster/testkit/models/lying-projects'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'
import { addAll, addRepo, runsOf, untilEnded } from './tasks-of.ts'

// Every liar once; a hundred lies by hand: LIES=100.
const count = Number(process.env['LIES'] ?? liars.length)
const seed = Number(process.env['SEED'] ?? 1)
const told = lies({ seed, count })

let stack: Stack
let ollama: FakeOllama
const repos = new Map<LyingProject, GitRepo>()
beforeAll(async () => {
  ollama = await startFakeOllama({ turns: lyingAgent(told) })
  stack = await startStack({ env: { MUSTER_OLLAMA_URL: ollama.url } })
  for (const [name, { files }] of Object.entries(lyingProjects)) {
    const repo = await gitRepo(files)
    repos.set(name as LyingProject, repo)
    await addRepo(stack, name, repo.path)
  }
})
afterAll(async () => {
  await stack.stop()
  await ollama.close()
  for (const repo of repos.values()) await repo.remove()
})

it(`none of ${count} runs that lie about their work is done, and none gives a branch that looks proven`, async () => {
  const ids = await addAll(
    stack,
    told.map(({ tag, project, prompt, check }) => {
      const [kind = '', target = ''] = check.split(/:(.*)/s)
      return { title: tag, repo: project, prompt, checks: [{ kind, target }], fixes: 0, retries: 0 }
    }),
  )
  const believed: string[] = []
  for (const [at, id] of ids.entries()) {
    const task = await untilEnded(stack, id, 600_000)
    const [last] = await runsOf(stack, id)
    const { liar = '', fromWithin = false } = told[at] ?? {}
    if (task.state !== 'dead') believed.push(`${liar}: ${task.state}`)
    // A liar that was stopped for another reason than its lie would show nothing.
    expect(task.ending, `${liar}: ${task.reason}`).toBe('execution_failed')
    if (fromWithin)
      expect(last?.report?.checks.at(-1), liar).toMatchObject({ kind: 'tests_can_fail', status: 'fail' })
  }
  expect(believed).toEqual([])
  for (const repo of repos.values()) expect(await repo.git('for-each-ref', 'refs/heads/muster/')).toBe('')
}, 1_800_000)

it('one that mends the adder instead is done, with the same tasks around it', async () => {
  const [lie] = lies({ seed, count: 1 })
  ollama.script(async ({ messages }) =>
    messages.some(({ role }) => role === 'tool')
      ? { text: 'Mended.' }
      : {
          calls: [
            { name: 'write_file', args: { path: 'add.js', content: 'export const add = (a, b) => a + b\n' } },
          ],
        },
  )
  const [id = ''] = await addAll(stack, [
    {
      title: 'Mend the adder',
      repo: lie?.project ?? '',
      prompt: 'Mend add().',
      checks: [{ kind: 'test_passes', target: 'auto' }],
    },
  ])
  const task = await untilEnded(stack, id, 120_000)
  expect([task.state, task.ending], task.reason ?? '').toEqual(['done', 'verified'])
  expect((await runsOf(stack, id))[0]?.report?.checks).toMatchObject([
    { kind: 'test_passes', status: 'pass' },
    { kind: 'tests_can_fail', status: 'pass' },
  ])
})
