import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Assignment } from '@muster/contract/wire'
import { worker } from '@muster/contract/workers'
import { page } from '@muster/contract/tasks'
import { eventually } from '@muster/testkit/eventually'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { startProcess } from '@muster/testkit/processes'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ownerToken, startStack, type Stack } from './stack.ts'
import { talkInNode, talkInPython, type Said, type Talk } from './talk.ts'
import { add, addRepo, eventsOf, getTask, logOf, runsOf, untilEnded, untilState } from './tasks-of.ts'

const examples = join(import.meta.dirname, '../../examples')

type Client = {
  name: string
  command: [string, ...string[]]
  talk: (url: string, token: string) => Talk
  missing: boolean
}

const hasPython = (() => {
  try {
    execFileSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'])
    return true
  } catch {
    return false
  }
})()

const clients: Client[] = [
  {
    name: 'agent.mjs',
    command: [process.execPath, join(examples, 'agent.mjs')],
    talk: talkInNode,
    missing: false,
  },
  {
    name: hasPython ? 'agent.py' : 'agent.py (skipped: there is no python3 from 3.9 on PATH)',
    command: ['python3', join(examples, 'agent.py')],
    talk: talkInPython,
    missing: !hasPython,
  },
]

let stack: Stack
let repo: GitRepo
beforeAll(async () => {
  stack = await startStack({ env: { MUSTER_SLOTS: '1', MUSTER_CAPABILITIES: 'GPU, docs' } })
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
})
afterAll(async () => {
  await stack.stop()
  await repo.remove()
})

/** Keeps the worker that Muster brings busy, so that the next task goes to the client. Answers how to free it. */
async function occupyLocalWorker(): Promise<() => Promise<void>> {
  const { id } = await add(stack, 'demo', 'In the way', '--run', 'sleep 600')
  const free = async () => void (await stack.muster('task', 'cancel', id))
  onTestFinished(free)
  await untilState(stack, id, (found) => found.phase === 'running')
  return free
}

async function newToken(name: string): Promise<string> {
  const made = await stack.muster('token', 'create', name, '--worker', '--json')
  return (made.json() as { secret: string }).secret
}

async function start({ command }: Client, name: string) {
  const [program, ...args] = command
  const env = { PATH: process.env['PATH'] ?? '', HOME: stack.data, PYTHONDONTWRITEBYTECODE: '1' }
  const token = await newToken(name)
  const agent = startProcess(program, args, {
    env: { ...env, MUSTER_HUB: stack.url, MUSTER_TOKEN: token },
  })
  onTestFinished(() => agent.kill())
  await agent.line(/is connected and waits for a task/)
  return agent
}

async function workerNamed(name: string) {
  return page(worker)
    .parse((await stack.api('/workers')).body)
    .items.find((each) => each.name === name)
}

/** What people who watch are told of a task's progress. */
async function progressOf(): Promise<Said[]> {
  const options = { headers: { authorization: `Bearer ${await ownerToken(stack.data)}` } }
  const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/api/v1/live`, options as never)
  const seen: Said[] = []
  let caughtUp = false
  socket.addEventListener('open', () => socket.send('{"type":"subscribe"}'))
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Said
    caughtUp ||= message['type'] === 'caught_up'
    if (message['type'] === 'progress') seen.push(message)
  })
  onTestFinished(() => socket.close())
  await eventually(() => caughtUp)
  return seen
}

it('the worker that Muster brings says what it is and what it can do', async () => {
  const local = await workerNamed('local')
  expect(local).toMatchObject({ state: 'idle', capabilities: ['gpu', 'docs'] })
  expect(local?.client).toMatch(/^muster-worker\/\d/)
})

describe.each(clients)('$name', (client) => {
  const file = client.command.at(-1)?.split('/').at(-1) ?? ''

  it.skipIf(client.missing)(
    'joins, accepts, says how far it is, puts its work on the branch and ends',
    async () => {
      const name = `does-${file.replace('.', '-')}`
      const agent = await start(client, name)
      expect(await workerNamed(name)).toMatchObject({
        connected: true,
        client: file,
        capabilities: ['greeting'],
      })
      const progress = await progressOf()
      const marker = join(stack.data, `executed-by-${name}`)
      const { id } = await add(
        stack,
        'demo',
        `Greet with ${file}`,
        '--run',
        `touch ${marker}; exit 1`,
        '--needs',
        'greeting',
      )
      const task = await untilEnded(stack, id)
      expect(task).toMatchObject({ state: 'done', ending: 'verified', worker: name })
      const [run] = await runsOf(stack, id)
      expect(run?.report).toMatchObject({ overall: 'auto_pass', commit: task.commit, checks: [] })
      const kinds = (await eventsOf(stack, id)).map(({ kind }) => kind)
      expect(kinds).toEqual(expect.arrayContaining(['task.accepted', 'run.publish_granted', 'task.done']))
      expect(progress).toMatchObject([
        { taskId: id, text: 'cloning', percent: 10 },
        { taskId: id, text: 'writing', percent: 50 },
      ])
      expect(await repo.git('rev-parse', task.branch ?? '')).toBe(task.commit)
      expect(await repo.git('show', `${task.branch}:hello-${run?.id}.md`)).toBe(
        `Hello from ${file}: Greet with ${file}`,
      )
      expect(await repo.git('rev-parse', `${task.branch}^`)).toBe(repo.head)
      expect((await agent.exited).code).toBe(0)
      expect(existsSync(marker), 'it executed the command of a task on this machine').toBe(false)
    },
  )

  it.skipIf(client.missing)(
    'gives a task with a check back instead of claiming it, and a worker with a wall proves it',
    async () => {
      const free = await occupyLocalWorker()
      const agent = await start(client, `refuses-${file.replace('.', '-')}`)
      const { id } = await add(
        stack,
        'demo',
        'Prove it',
        '--run',
        'echo B > b.txt',
        '--check',
        'file_exists:b.txt',
      )
      expect((await agent.exited).code).toBe(1)
      expect(agent.output()).toContain('the task was given back')
      expect((await getTask(stack, id)).state).toBe('queued')
      await free()
      expect(await untilEnded(stack, id)).toMatchObject({ state: 'done', worker: 'local' })
      expect((await runsOf(stack, id)).map((run) => [run.ending, run.reason])).toEqual([
        ['verified', expect.any(String)],
        ['refused', 'checks_not_run: This agent executes nothing, so it can prove no check.'],
      ])
      expect(await logOf(stack, id)).not.toBe('')
    },
  )

  it.skipIf(client.missing)(
    'is refused by name for what does not fit, and by an old epoch changes nothing',
    async () => {
      const name = `talks-${file.replace('.', '-')}`
      const talk = client.talk(stack.url, await newToken(name))
      const hello = { type: 'hello', id: 1, wire: 1, instance: 'i' }
      talk.say({ type: 'renew', id: 1, leases: [] })
      expect(await talk.next('error')).toMatchObject({ to: 1, code: 'hello_required' })
      talk.say({ ...hello, walls: [{ kind: 'namespace', ok: true, detail: 'a test' }] })
      await talk.next('welcome')
      talk.say({ type: 'nonsense', id: 2 })
      expect(await talk.next('error')).toMatchObject({ to: 2, code: 'unknown_message_type' })
      talk.say({ ...hello, id: 3 })
      expect(await talk.next('error')).toMatchObject({ to: 3, code: 'already_identified' })
      talk.say({ type: 'accept', id: 4, taskId: 'mine', epoch: 1 })
      expect(await talk.next('error')).toMatchObject({ to: 4, code: 'invalid_message' })

      const { id } = await add(stack, 'demo', 'Twice', '--run', 'true', '--worker', name)
      const assigned = async () => (await talk.next('assign'))['assignment'] as Assignment
      const first = await assigned()
      talk.say({ type: 'refuse', id: 5, taskId: id, epoch: first.epoch, code: 'later', reason: 'Not now.' })
      expect(await talk.next('reply')).toMatchObject({ to: 5, ok: true })
      const second = await assigned()
      expect(second.epoch).toBeGreaterThan(first.epoch)
      for (const type of ['accept', 'finish']) {
        const result = {
          ending: 'execution_failed',
          reason: 'Late.',
          exitCode: null,
          base: null,
          commit: null,
        }
        const rest = { branch: null, report: null, diff: '', diffTruncated: false }
        const runId = type === 'finish' ? { runId: first.runId, result: { ...result, ...rest } } : {}
        talk.say({ type, id: 6, taskId: id, epoch: first.epoch, ...runId })
        const answer = await talk.next('reply')
        expect(answer).toMatchObject({ to: 6, ok: false, error: { code: 'stale_epoch' } })
      }
      expect(await getTask(stack, id)).toMatchObject({ state: 'assigned', epoch: second.epoch })
      await stack.muster('task', 'cancel', id)
      expect(await talk.next('cancel')).toMatchObject({ taskId: id, epoch: second.epoch })
    },
  )

  it.skipIf(client.missing)(
    'is put out, with the reason, for a frame of 5 MB and for eleven bad messages',
    async () => {
      const token = await newToken(`errs-${file.replace('.', '-')}`)
      const large = client.talk(stack.url, token)
      large.say({ type: 'hello', id: 1, wire: 1, instance: randomUUID() })
      await large.next('welcome')
      large.say('x'.repeat(5_000_000))
      expect(await large.next('error')).toMatchObject({ code: 'frame_too_large' })
      expect(await large.closed()).toBe('1009 frame_too_large')

      await expect
        .poll(async () => (await workerNamed(`errs-${file.replace('.', '-')}`))?.connected)
        .toBe(false)
      const rude = client.talk(stack.url, token)
      rude.say({ type: 'hello', id: 1, wire: 1, instance: randomUUID() })
      await rude.next('welcome')
      for (let at = 2; at < 13; at++) rude.say({ type: 'nonsense', id: at })
      for (let at = 2; at < 13; at++) {
        expect(await rude.next('error')).toMatchObject({ to: at, code: 'unknown_message_type' })
      }
      expect(await rude.closed()).toBe('4002 protocol_violation')
      expect((await stack.muster('status')).code).toBe(0)
    },
  )
})
