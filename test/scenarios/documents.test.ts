import { execFile, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { eventually } from '@muster/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environment, startStack, type Stack } from './stack.ts'

const root = join(import.meta.dirname, '../..')
const pages = globSync('{*.md,docs/**/*.md,examples/*.md}', { cwd: root })
const readme = readFileSync(join(root, 'README.md'), 'utf8')

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(async () => {
  await stack.stop()
})

test('every link and every file that a page names is there', () => {
  const missing = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) =>
      join(dirname(page), match[1] ?? ''),
    )
    const named = [...text.matchAll(/`((?:test|apps|packages|docs|tools|examples)\/[\w./*-]+)`/g)].map(
      (match) => match[1] ?? '',
    )
    return [...links, ...named]
      .filter((path) =>
        path.includes('*') ? globSync(path, { cwd: root }).length === 0 : !existsSync(join(root, path)),
      )
      .map((path) => `${page}: ${path}`)
  })
  expect(missing).toEqual([])
})

test('the commands of the README do what it says, typed in its order', async () => {
  const home = join(stack.data, 'home')
  await mkdir(join(home, 'code'), { recursive: true })
  await sh(newRepository, home)
  const commands = commandsOf(readme)
  // The stack above is what "npm start" starts, and this is what "npm test" runs.
  expect(commands).toEqual(expect.arrayContaining(['npm start', 'npm test']))
  const rest = commands.filter((command) => command !== 'npm start' && command !== 'npm test')
  expect(rest.length).toBeGreaterThan(5)
  for (const command of rest) await sh(command, home)
  expect(await sh(`git -C ~/code/demo log --oneline --branches='muster/*'`, home)).toContain('Add a licence')
  expect(await sh('git -C ~/code/demo status --short', home)).toBe('')
})

test('the commands of the page about messages do what it says, typed in its order', async () => {
  const page = readFileSync(join(root, 'docs/messages.md'), 'utf8')
  const commands = commandsOf(page)
  expect(commands.length).toBeGreaterThan(5)
  const said = []
  for (const command of commands) said.push(await sh(command, stack.data))
  expect(said.join('')).toContain('How is the build?')
  expect(said.at(-1)).toContain('shop 1.2 is out')
})

test('the commands of the page about the queue do what it says, typed in its order', async () => {
  const page = readFileSync(join(root, 'docs/queue.md'), 'utf8')
  const home = join(stack.data, 'queue')
  await mkdir(join(home, 'code'), { recursive: true })
  const said = new Map<string, string>()
  for (const command of commandsOf(page)) said.set(command, await sh(command, home))
  const of = (words: string) => [...said].find(([command]) => command.includes(words))?.[1]
  expect(of('queue show')).toMatch(/^running +0 of at most 20$/m)
  expect(of('task show')).toMatch(/^Not before 20/m)
  expect(of('task watch')).toContain('done (verified)')
  expect(of('task history')).toMatch(/task\.pushed[^]*task\.done/)
  expect(of('dead list')).toMatch(/execution_failed .*Fails/)
  expect(of('dead retry')).toBe('1 queued again\n')
  expect(of('queue pause')).toContain('paused')
  expect(of('worker list')).toContain('cordoned')
  expect(of('queue stop')).toMatch(/^(Stopped 1 run;|Nothing ran\.)/)
  expect((await stack.muster('queue', 'show')).stdout).toMatch(/^queue +open$/m)
})

test('the commands of the section about workers on other machines do what it says, typed in its order', async () => {
  const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const home = join(stack.data, 'operations')
  await mkdir(home)
  const said = new Map<string, string>()
  // "npx muster" is that of the checkout; the token is written where the reader stands.
  for (const command of commandsOf(page))
    said.set(command, await sh(command.replaceAll('box-2.token', join(home, 'box-2.token')), stack.data))
  const of = (words: string) => [...said].find(([command]) => command.includes(words))?.[1]
  expect(readFileSync(join(home, 'box-2.token'), 'utf8')).toMatch(/^muster_worker_\S{20,}\n$/)
  expect(of('--print')).toContain('NoNewPrivileges=yes')
  expect(of('--print')).not.toContain('muster_worker_')
  expect(of('worker list')).toContain('box-2')
  expect(of('worker show')).toMatch(/^run by +up$/m)
  await eventually(async () => /^restarts +1$/m.test(await sh('npx muster worker show local', stack.data)), {
    timeoutMs: 30_000,
  })
})

const hasPython = spawnSync('python3', ['--version']).status === 0

test.for([
  { example: 'node examples/agent.mjs', skip: false, title: 'node examples/agent.mjs' },
  {
    example: 'python3 examples/agent.py',
    skip: !hasPython,
    title: `python3 examples/agent.py${hasPython ? '' : ' (skipped: there is no python3 on PATH)'}`,
  },
])(
  'the commands of the page on agents of your own do what it says, with $title',
  async ({ example, skip }, { skip: leaveOut }) => {
    if (skip) return leaveOut('there is no python3 on PATH')
    const text = readFileSync(join(root, 'examples/README.md'), 'utf8')
    const commands = commandsOf(text)
    expect(text).toContain(example)
    const isAgent = (command: string) => command.includes('examples/agent.')
    expect(commands.filter(isAgent)).toHaveLength(1)
    const file = example.split('/')[1] ?? ''
    const home = join(stack.data, `home-of-${file}`)
    await mkdir(join(home, 'code'), { recursive: true })
    await sh(newRepository, home)
    // Each example has a repository and a worker of its own here; a reader does the one or the other.
    const own = file.replace('.', '-')
    await sh(`npx muster repo add demo-${own} ~/code/demo`, home)
    let agent: Promise<string> | undefined
    for (const command of commands) {
      const here = command
        .replace('create greeter', `create greeter-${own}`)
        .replace('--repo demo', `--repo demo-${own}`)
      if (isAgent(command)) {
        // Port 4600 is its default; a stack of a test has another.
        agent = sh(`MUSTER_HUB=${stack.url} ${here.replace('node examples/agent.mjs', example)}`, home)
        const isIdle = new RegExp(`greeter-${own} +idle`)
        await eventually(async () => isIdle.test((await stack.muster('worker', 'list')).stdout))
      } else await sh(here, home)
    }
    expect(await agent).toContain(`greeter-${own} is connected`)
    const log = await sh("git -C ~/code/demo log --all --format='%an: %s'", home)
    expect(log).toContain(`${file}: Greet`)
  },
)

test('the README does not promise a command that the CLI does not have', async () => {
  const help = (await stack.muster('--help')).stdout
  const verbs = [...readme.matchAll(/npx muster ([a-z-]+)/g)].map((match) => match[1] ?? '')
  expect(verbs.filter((verb) => !help.includes(`  ${verb}`) && !verb.startsWith('-'))).toEqual([])
})

const newRepository =
  'git init -q -b main ~/code/demo && git -C ~/code/demo -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m first'

/** In the page's order. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => (match[1] ?? '').trim().split('\n'))
}

function sh(command: string, home: string): Promise<string> {
  const env = environment(stack.data, { HOME: home })
  return new Promise((resolve, reject) => {
    execFile('sh', ['-ec', command], { cwd: root, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${command}\n${stdout}${stderr}`, { cause: error }))
    })
  })
}
