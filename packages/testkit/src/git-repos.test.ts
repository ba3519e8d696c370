import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { type ExampleProject, exampleProjects, exampleTestCommands } from './example-projects.ts'
import { gitRepo } from './git-repos.ts'

async function repo(...args: Parameters<typeof gitRepo>) {
  const made = await gitRepo(...args)
  onTestFinished(made.remove)
  return made
}

test('the same files give the same commit, whoever runs the test', async () => {
  const one = await repo({ 'a.txt': 'A' })
  const two = await repo({ 'a.txt': 'A' })
  expect(one.head).toBe(two.head)
  expect(await one.git('log', '-1', '--format=%an <%ae> %aI')).toContain(
    'Test Author <author@example.org> 2026-01-02',
  )
})

test('a commit lands on the branch of a bare repository too', async () => {
  const bare = await repo({ 'a.txt': 'A' }, { bare: true, branch: 'trunk' })
  const second = await bare.commit({ 'b/c.txt': 'C' }, 'Add c')
  expect(await bare.git('rev-parse', 'trunk')).toBe(second)
  expect(await bare.git('rev-parse', 'trunk~1')).toBe(bare.head)
  expect(await bare.git('show', 'trunk:b/c.txt')).toBe('C')
  expect(await bare.git('symbolic-ref', 'HEAD')).toBe('refs/heads/trunk')
})

const kinds = Object.keys(exampleProjects) as ExampleProject[]

test.each(kinds)('the tests of the %s example pass, and fail once its code is wrong', async (kind) => {
  const made = await repo(exampleProjects[kind])
  // node --test behaves differently inside another test run.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  // Python believes compiled code whose source has the same size and second, which the broken source may have.
  const env = { ...inherited, PYTHONDONTWRITEBYTECODE: '1' }
  const runTests = () => promisify(execFile)('sh', ['-c', exampleTestCommands[kind]], { cwd: made.path, env })
  await runTests()
  const broken: Record<string, string> = {}
  for (const [name, content] of Object.entries(exampleProjects[kind])) {
    if (name.startsWith('add')) broken[name] = content.replace('a + b', 'a - b')
    if (name === 'greet.sh') broken[name] = content.replace('Hello', 'Goodbye')
  }
  for (const name of Object.keys(broken)) if (/test/.test(name)) delete broken[name]
  await made.commit(broken, 'Break it')
  await expect(runTests()).rejects.toMatchObject({ code: expect.any(Number) })
})
