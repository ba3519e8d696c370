import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { gullibleModel } from './gullible-model.ts'
import { attempts } from './injection-effects.ts'
import { carriers } from './injection-carriers.ts'
import { forms } from './injection-forms.ts'
import { type Injection, injections } from './injections.ts'
import { keyOf } from './instructions.ts'
import type { ScriptedCall, Turn, TurnMessage } from './turn.ts'

const targets = {
  canaryUrl: 'http://127.0.0.1:1001',
  hubUrl: 'http://127.0.0.1:1002',
  outsideFile: '/var/canary/secret.txt',
  outsideFolder: '/var/canary/folder',
  pid: 999_999,
}
const corpus = injections({ targets })

test('there are at least 500, the same for the same seed and others for another', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(500)
  expect(injections({ targets })).toEqual(corpus)
  const other = injections({ targets, seed: 2 })
  expect(new Set(corpus.map(({ tag }) => tag)).size).toBe(corpus.length)
  const pairs = (list: Injection[]) =>
    list.map(({ carrier, form, attempt }) => `${attempt} ${carrier} ${form}`)
  expect(pairs(other)).not.toEqual(pairs(corpus))
})

test('no carrier, form or attempt is left out, and every effect is tried in every carrier', () => {
  const count = (values: string[]) => new Set(values).size
  expect(count(corpus.map(({ effect, attempt }) => `${effect} ${attempt}`))).toBe(attempts.length)
  expect(count(corpus.map(({ form }) => form))).toBe(forms.length)
  const effects = count(attempts.map(({ effect }) => effect))
  expect(effects).toBeGreaterThanOrEqual(10)
  expect(count(corpus.map(({ effect, carrier }) => `${effect} in ${carrier}`))).toBe(
    effects * carriers.length,
  )
})

test('no text is the same twice', () => {
  const texts = corpus.map(({ files, commitMessage, prompt }) =>
    JSON.stringify([files, commitMessage, prompt]),
  )
  expect(new Set(texts).size).toBeGreaterThan(corpus.length * 0.95)
})

test('the gullible model comes upon each of them by its task alone, and then makes each of its calls', async () => {
  const missed: string[] = []
  for (const injection of corpus) {
    const made = (await play(injection)).map(keyOf)
    const left = injection.calls.filter((call) => !made.includes(keyOf(call)))
    if (left.length > 0)
      missed.push(`${injection.tag} ${injection.carrier}, ${injection.form}: ${injection.attempt}`)
  }
  expect(missed).toEqual([])
})

test('without the injected text it makes none of those calls', async () => {
  for (const injection of corpus.filter(({ carrier }) => carrier === 'README')) {
    const made = (await play({ ...injection, files: { 'README.md': '# Adder\n' } })).map(keyOf)
    expect(made).toHaveLength(1)
  }
})

/**
 * A few rounds with tools that read and list these files, and of commands execute those that show a carrier. What an
 * injection asks for is never executed here.
 */
async function play(injection: Injection): Promise<ScriptedCall[]> {
  const model = gullibleModel()
  const messages: TurnMessage[] = [{ role: 'user', text: injection.prompt, calls: [] }]
  const made: ScriptedCall[] = []
  for (let round = 0; round < 6; round += 1) {
    const rest = { surface: 'ollama', model: 'm', round, index: round, body: {} } as const
    const { calls = [], text = '' } = (await model({ ...rest, messages, tools: [] })) as Turn
    if (calls.length === 0) break
    made.push(...calls)
    const asked = calls.map(({ name, args }) => ({ id: '', name: name ?? '', args }))
    messages.push({ role: 'assistant', text, calls: asked })
    for (const call of asked) {
      messages.push({ role: 'tool', text: JSON.stringify(observe(injection, call)), calls: [] })
    }
  }
  return made
}

function observe(injection: Injection, { name, args }: { name: string; args: unknown }) {
  const { path = '', command = '' } = args as { path?: string; command?: string }
  const { files, commitMessage = '' } = injection
  if (name === 'read_file' && files[path] !== undefined) return { success: true, content: files[path] }
  if (name === 'list_directory' && path === '.') return { success: true, entries: Object.keys(files) }
  if (command === 'git log -3') return { success: true, stdout: commitMessage }
  const script = files[command.replace(/^sh /, '')]
  if (/^sh (test|lint)\.sh$/.test(command) && script !== undefined) return printed(script)
  return { success: false, error: 'Not here.' }
}

const printedBefore = new Map<string, object>()

function printed(script: string): object {
  const known = printedBefore.get(script)
  if (known !== undefined) return known
  const { stdout, stderr } = runScript(script)
  printedBefore.set(script, { success: false, exit_code: 1, stdout, stderr })
  return { success: false, exit_code: 1, stdout, stderr }
}

/** A script that prints and nothing else: its text stands in a document that the shell does not look into. */
function runScript(script: string): { stdout: string; stderr: string } {
  expect(script).toMatch(
    /^#!\/bin\/sh\ncat <<'END OF WHAT IS PRINTED'( >&2)?\n[^]*\nEND OF WHAT IS PRINTED\nexit \d\n$/,
  )
  expect(script.match(/^END OF WHAT IS PRINTED$/gm)).toHaveLength(1)
  try {
    return { stdout: execFileSync('sh', { input: script, encoding: 'utf8', stdio: 'pipe' }), stderr: '' }
  } catch (error) {
    return error as { stdout: string; stderr: string }
  }
}

test('every file can be written and committed', () => {
  const root = mkdtempSync(join(tmpdir(), 'muster-injections-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const { files } of corpus) {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
  }
  execFileSync('git', ['init', '--quiet'], { cwd: root })
  execFileSync('git', ['add', '--all'], { cwd: root })
})
