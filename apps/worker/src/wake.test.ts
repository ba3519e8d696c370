import type { Assignment } from '@muster/contract/wire'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from '@muster/postgres/process-identity'
import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from './config.ts'
import { holdRun, stopRun } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import { createLog } from './log.ts'
import { CannotRun } from './prepare.ts'
import { createWake } from './wake.ts'
import { splitCommand } from './wake-command.ts'

const hostile = `it's "quoted"; $(touch /tmp/x) \`id\`\n--flag \${TASK_ID}`
const assignment = { taskId: 'task-1', epoch: 3, title: 'T', description: hostile } as Assignment
const log = createLog('silent')

type Sent = { type: string; attempt: number; state: string; exitCode: number | null; output: string }

/** Runs a wake command with pauses of milliseconds; answers how it ended and what the hub was told. */
async function wakeWith(line: string, options: { limitMs?: number; env?: Record<string, string> } = {}) {
  const sent: Sent[] = []
  const link = { deliver: async (message: Sent) => void sent.push(message) } as unknown as HubLink
  const run = holdRun(assignment, 0)
  const env = options.env ?? { PATH: process.env['PATH'] ?? '' }
  const times = { limitMs: options.limitMs ?? 10_000, pausesMs: [5, 15, 30] }
  const wake = createWake({ words: splitCommand(line), env }, { link: () => link, log }, times)
  const ended = wake(run).catch((error: unknown) => error)
  return { ended, sent, run, states: () => sent.map(({ attempt, state }) => `${attempt} ${state}`) }
}

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'muster-wake-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  return dir
}

/** A zombie is gone; whoever inherits it may take his time. */
const living = async (pids: number[]) =>
  (await Promise.all(pids.map(identify))).flatMap((found) => (found === undefined ? [] : [found.pid]))

test('a command that works is run once, and the hub hears of the beginning and the end', async () => {
  const { ended, states, sent } = await wakeWith('echo awake')
  expect(await ended).toBe('The wake command exited with 0')
  expect(states()).toEqual(['1 trying', '1 woken'])
  expect(sent[1]).toMatchObject({ exitCode: 0, output: 'awake\n' })
})

test('what a task says arrives as the value of one argument, whatever it is', async () => {
  const print = join(directory(), 'argv')
  const { ended } = await wakeWith(
    `${process.execPath} -e 'fs.writeFileSync(process.argv[1], JSON.stringify(process.argv.slice(2)))' -- ${print} \${TASK_ID} "\${TASK_DESCRIPTION}" x\${TASK_JSON}`,
  )
  await ended
  const [id, description, json, ...more] = JSON.parse(readFileSync(print, 'utf8')) as string[]
  expect([id, description, more]).toEqual(['task-1', hostile, []])
  expect(JSON.parse((json ?? '').slice(1))).toMatchObject({ taskId: 'task-1', description: hostile })
})

test('a command that fails is tried three times more, and then the run cannot be made', async () => {
  const { ended, states } = await wakeWith(`sh -c 'echo no route; exit 7'`)
  const error = await ended
  expect(error).toBeInstanceOf(CannotRun)
  expect(error).toMatchObject({
    code: 'wake_failed',
    message: 'The wake command ended with 7 (try 4). no route',
  })
  expect(states()).toEqual([1, 2, 3, 4].flatMap((attempt) => [`${attempt} trying`, `${attempt} failed`]))
})

test('a command that works at the second try is enough', async () => {
  const mark = join(directory(), 'mark')
  const { ended, states } = await wakeWith(`sh -c 'test -e ${mark} || { touch ${mark}; exit 1; }'`)
  expect(await ended).toBe('The wake command exited with 0 at try 2')
  expect(states()).toEqual(['1 trying', '1 failed', '2 trying', '2 woken'])
})

test('a command that is not there, or is no program, fails at once', async () => {
  const file = join(directory(), 'text')
  writeFileSync(file, 'hello', { mode: 0o600 })
  for (const program of ['/nonexistent/wake', file]) {
    const { ended, states } = await wakeWith(program)
    expect(await ended).toMatchObject({ code: 'wake_failed' })
    expect(states()).toEqual(['1 trying', '1 failed'])
  }
})

test('a command that is over its time is ended with what it started, and counts as failed', async () => {
  const pids = join(directory(), 'pids')
  const { ended, sent } = await wakeWith(`sh -c 'echo $$ >> ${pids}; sleep 300 & echo $! >> ${pids}; wait'`, {
    limitMs: 150,
  })
  expect(await ended).toMatchObject({
    code: 'wake_failed',
    message: expect.stringContaining('took longer than'),
  })
  expect(sent.at(-1)).toMatchObject({ state: 'failed', exitCode: null })
  const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
  expect(started).toHaveLength(8)
  await expect.poll(() => living(started)).toEqual([])
})

test('a run that is stopped is not woken for any longer', async () => {
  const { ended, run, states } = await wakeWith('sleep 300')
  await expect.poll(states).toEqual(['1 trying'])
  const before = performance.now()
  stopRun(run, 'cancelled', log)
  expect(await ended).toBe('cancelled')
  expect(performance.now() - before).toBeLessThan(5_000)
  expect(states()).toEqual(['1 trying'])
})

test('the command finds how to find things and none of our tokens in its environment', async () => {
  const secret = 'muster_worker_0123456789abcdef'
  const config = readConfig({
    MUSTER_HUB: 'http://127.0.0.1:4600',
    MUSTER_WORKER_DATA: '/tmp',
    MUSTER_TOKEN: secret,
    MUSTER_WAKE: 'env',
    CREDENTIALS_DIRECTORY: '/run/credentials/x',
    NOTIFY_SOCKET: '/run/systemd/notify',
    AWS_SECRET_ACCESS_KEY: secret,
    PATH: process.env['PATH'],
    LC_ALL: 'C',
  })
  const { ended, sent } = await wakeWith(config.wake.join(' '), { env: config.wakeEnv })
  await ended
  const names = (sent[1]?.output ?? '').split('\n').flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? [])
  expect(names.toSorted()).toEqual(['LC_ALL', 'PATH'])
  expect(JSON.stringify(sent)).not.toContain(secret)
})

test('at most 2 kB of the output are told, the last ones', async () => {
  const { ended, sent } = await wakeWith(`sh -c 'yes long | head -c 50000; echo; echo last words'`)
  await ended
  expect(sent[1]?.output.length).toBeLessThanOrEqual(2_048)
  expect(sent[1]?.output).toMatch(/last words\n$/)
})

test.each([
  ['wake "gpu', 'MUSTER_WAKE: a " is not closed'],
  ['wake ${HOME}', 'MUSTER_WAKE: ${HOME} is none of'],
])('a wake command that cannot be understood stops the start: %j', (line, sentence) => {
  const env = { MUSTER_HUB: 'http://127.0.0.1:1', MUSTER_WORKER_DATA: '/tmp', MUSTER_TOKEN: 'x'.repeat(16) }
  expect(() => readConfig({ ...env, MUSTER_WAKE: line })).toThrow(sentence)
})
