import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { task as taskOf } from '@muster/contract/tasks'
import { eventually } from '@muster/testkit/eventually'
import { exampleProjects } from '@muster/testkit/example-projects'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { personRepo } from './person-repo.ts'
import { run, stepsOf, writeScript } from './practice.ts'
import { killForGood } from './processes-of.ts'
import { environment, newDirectory, startMuster, startStack, type Stack } from './stack.ts'
import { addRepo, eventsOf, runsOf, untilEnded } from './tasks-of.ts'

let stack: Stack
let place: string
let scripts: string
let token: string
beforeAll(async () => {
  stack = await startStack()
  place = await newDirectory('muster-scenario-second-')
  scripts = await mkdtemp(join(tmpdir(), 'muster-scripts-'))
  const made = await stack.muster('token', 'create', 'second', '--worker', '--json')
  token = (made.json() as { secret: string }).secret
})
afterAll(async () => {
  await stack.stop()
  await rm(place, { recursive: true, force: true })
  await rm(scripts, { recursive: true, force: true })
})

// More, and at other steps, by hand: ROUNDS=50 SEED=3. Fourteen rounds meet every step, for 5 and 14 share no divisor.
const rounds = Number(process.env['ROUNDS'] ?? 2)
const seed = Number(process.env['SEED'] ?? 1)
const lines = [1, 2, 3, 4, 5, 6, 7]

/** Seven calls of a tool, each with the turn that asks for it, and the last word: fifteen steps. Handed in, not awaited. */
async function addCounting(name: string) {
  const repo = await personRepo(exampleProjects.npm)
  onTestFinished(() => repo.remove())
  await addRepo(stack, name, repo.path)
  const path = await writeScript(scripts, [
    ...lines.map((n) => ({ ...run(`echo ${n} >> log.txt; sleep 0.2`), waitMs: 100 })),
    // Long enough that a kill after the last call comes before the end.
    { say: 'Seven lines.', waitMs: 1_500 },
  ])
  const added = await stack.muster(
    ...['task', 'add', '--repo', name, '--title', 'Count', '--prompt', 'Do it', '--practice', path],
    ...['--tier', 'complex', '--check', 'command_succeeds:test "$(cat log.txt | tr -d "\\n")" = 1234567'],
    '--json',
  )
  return { repo, id: taskOf.parse(added.json()).id }
}

async function untilStep(id: string, step: number): Promise<void> {
  await eventually(async () => (await stepsOf(stack, id)).length >= step, { timeoutMs: 60_000 })
}

async function expectEachStepOnce({ repo, id }: Awaited<ReturnType<typeof addCounting>>): Promise<void> {
  const ended = await untilEnded(stack, id)
  expect(ended, JSON.stringify(await eventsOf(stack, id))).toMatchObject({
    state: 'done',
    ending: 'verified',
  })
  expect(await repo.git('show', `${ended.branch}:log.txt`)).toBe(lines.join('\n'))
  const steps = await stepsOf(stack, id)
  expect(steps.map(({ seq }) => seq)).toEqual(steps.map((_, at) => at + 1))
  const calls = steps.filter(({ kind }) => kind === 'tool').map(({ args }) => args)
  expect(new Set(calls).size).toBe(lines.length)
  expect(calls).toHaveLength(lines.length)
}

async function joinSecond(): Promise<string> {
  const data = join(place, `second-${Date.now().toString(36)}`)
  await mkdir(data, { mode: 0o711 })
  const joined = startMuster(['worker', 'join', stack.url], environment(data, { MUSTER_TOKEN: token }))
  onTestFinished(() => void joined.kill('SIGKILL').catch(() => {}))
  await joined.line(/connected to the hub/, { timeoutMs: 30_000 })
  return data
}

describe('kill -9 of the worker in the middle of fifteen steps', () => {
  it('after which it comes back: the next run goes on behind the last step and does none twice', async () => {
    const task = await addCounting(`back-${Date.now().toString(36)}`)
    await untilStep(task.id, 6)
    process.kill((await stack.pids()).worker, 'SIGKILL')
    await expectEachStepOnce(task)
  })

  it.each(Array.from({ length: rounds }, (_, at) => 1 + ((seed * 5 + at * 5) % 14)))(
    'after step %i, and for good: another worker goes on behind the last step and does none twice',
    async (step) => {
      const data = await joinSecond()
      await stack.muster('worker', 'cordon', 'local')
      const task = await addCounting(`over-${step}-${Date.now().toString(36)}`)
      await untilStep(task.id, step)
      await killForGood(data)
      await stack.muster('worker', 'uncordon', 'local')
      await expectEachStepOnce(task)
      const runs = await runsOf(stack, task.id)
      expect(runs.map(({ worker, ending }) => [worker, ending])).toEqual([
        ['local', 'verified'],
        ['second', 'lost'],
      ])
    },
  )
})
