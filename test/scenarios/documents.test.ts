import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environment, startStack, type Stack } from './stack.ts'

const root = join(import.meta.dirname, '../..')
const pages = globSync('{*.md,docs/**/*.md}', { cwd: root })
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
    const named = [...text.matchAll(/`((?:test|apps|packages|docs|tools)\/[\w./*-]+)`/g)].map(
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
  const repository =
    'git init -q -b main ~/code/demo && git -C ~/code/demo -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m first'
  await sh(repository, home)
  const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) =>
    (match[1] ?? '').trim().split('\n'),
  )
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
  const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) =>
    (match[1] ?? '').trim().split('\n'),
  )
  expect(commands.length).toBeGreaterThan(5)
  const said = []
  for (const command of commands) said.push(await sh(command, stack.data))
  expect(said.join('')).toContain('How is the build?')
  expect(said.at(-1)).toContain('shop 1.2 is out')
})

test('the README does not promise a command that the CLI does not have', async () => {
  const help = (await stack.muster('--help')).stdout
  const verbs = [...readme.matchAll(/npx muster ([a-z-]+)/g)].map((match) => match[1] ?? '')
  expect(verbs.filter((verb) => !help.includes(`  ${verb}`) && !verb.startsWith('-'))).toEqual([])
})

function sh(command: string, home: string): Promise<string> {
  const env = environment(stack.data, { HOME: home })
  return new Promise((resolve, reject) => {
    execFile('sh', ['-ec', command], { cwd: root, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${command}\n${stdout}${stderr}`, { cause: error }))
    })
  })
}
