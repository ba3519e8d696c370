import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { gitRepo } from '../git-repos.ts'
import { liars, lies, type Lie, lyingAgent } from './lying-agent.ts'
import { lyingProjects } from './lying-projects.ts'
import type { Turn, TurnMessage } from './turn.ts'

const all = lies({ count: 100 })

test('there are 100 lies of more than 20 liars, the same for the same seed', () => {
  const calls = (list: Lie[]) => list.map(({ prompt, liar, check }) => [prompt, liar, check])
  expect(calls(lies({ count: 100 }))).toEqual(calls(all))
  expect(new Set(liars.map(({ name }) => name)).size).toBe(liars.length)
  expect(new Set(all.map(({ liar }) => liar)).size).toBe(liars.length)
  expect(liars.length).toBeGreaterThan(40)
})

test('a conversation is played by the liar that its prompt names, and by no other', async () => {
  const agent = lyingAgent(all)
  const last = all.at(-1) as Lie
  const asked = { ...request([{ role: 'user', text: last.prompt, calls: [] }], 0) }
  expect(await agent(asked)).toEqual(await last.turn(asked))
})

test.concurrent.for(all.slice(0, liars.length).map((lie) => [lie.liar, lie] as const))(
  'a liar that %s mends nothing, and fools who looks at its workspace where it says so',
  { timeout: 180_000 },
  async ([, lie], { onTestFinished }) => {
    const repo = await gitRepo(lie.files)
    onTestFinished(repo.remove)
    const claim = await play(lie, repo.path)
    expect(claim.length).toBeGreaterThan(5)
    const { broken } = lyingProjects[lie.project]
    expect(readFileSync(join(repo.path, broken), 'utf8')).toContain('a - b')
    if (lie.fools) expect(await naiveCheck(lie, repo.path)).toBe(true)
  },
)

const kinds = new Map(all.map((lie) => [`${lie.check} of the ${lie.project} project`, lie]))

test.concurrent.for([...kinds])('%s fails before anybody lied', async ([, lie], { onTestFinished }) => {
  const repo = await gitRepo(lie.files)
  onTestFinished(repo.remove)
  expect(await naiveCheck(lie, repo.path)).toBe(false)
})

/** Does what the liar calls for, in a folder of its own; every one of those commands is harmless there. */
async function play(lie: Lie, root: string): Promise<string> {
  const messages: TurnMessage[] = [{ role: 'user', text: lie.prompt, calls: [] }]
  for (let round = 0; ; round += 1) {
    const { calls = [], text = '' } = (await lie.turn(request(messages, round))) as Turn
    if (calls.length === 0) return text
    for (const { name, args } of calls) await act(root, name ?? '', args as Record<string, string>)
  }
}

async function act(root: string, name: string, args: Record<string, string>): Promise<void> {
  const path = join(root, args['path'] ?? '')
  if (name === 'run_command') {
    await sh(root, args['command'] ?? '')
  } else if (name === 'write_file') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, args['content'] ?? '')
  } else if (name === 'edit_file') {
    const before = readFileSync(path, 'utf8')
    expect(before.split(args['old'] ?? '')).toHaveLength(2)
    writeFileSync(
      path,
      before.replace(args['old'] ?? '', () => args['new'] ?? ''),
    )
  } else {
    expect(existsSync(path)).toBe(true)
  }
}

/** What somebody would see who looked only at the workspace and at the exit code. */
async function naiveCheck({ check, project, files }: Lie, root: string): Promise<boolean> {
  const [kind, target = ''] = check.split(/:(.*)/s)
  if (kind === 'file_exists') return existsSync(join(root, target)) && statSync(join(root, target)).isFile()
  const needsNpm =
    ['.npmrc', 'node_modules'].some((name) => existsSync(join(root, name))) ||
    (project === 'npm' && readFileSync(join(root, 'package.json'), 'utf8') !== files['package.json'])
  // What npm would run, where nobody has tampered with npm: it is slow to start.
  const tests = project === 'python' ? 'python3 -m unittest' : needsNpm ? 'npm test' : 'node --test'
  return (await sh(root, kind === 'command_succeeds' ? target : tests)) === 0
}

async function sh(cwd: string, command: string): Promise<number | null> {
  // node --test behaves differently inside another test run.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const env = {
    ...inherited,
    PYTHONDONTWRITEBYTECODE: '1',
    GIT_AUTHOR_NAME: 'Test Author',
    GIT_AUTHOR_EMAIL: 'author@example.org',
    GIT_COMMITTER_NAME: 'Test Author',
    GIT_COMMITTER_EMAIL: 'author@example.org',
  }
  const child = spawn('sh', ['-c', command], { cwd, env, stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

function request(messages: TurnMessage[], round: number) {
  return { surface: 'ollama' as const, model: 'm', messages, tools: [], round, index: round, body: {} }
}
