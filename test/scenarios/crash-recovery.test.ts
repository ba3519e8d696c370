import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@muster/testkit/eventually'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createRandom,
  freeze,
  freezeBeforeFinish,
  killAndAwait,
  moments,
  shuffled,
  untilPhase,
  untilRow,
  victims,
  type Moment,
  type Victim,
} from './faults.ts'
import { expectNothingOf, newDirectory, startStack, type Stack } from './stack.ts'
import { add, addRepo, eventsOf, getTask, runsOf, untilEnded, untilState } from './tasks-of.ts'

const rounds = Number(process.env['ROUNDS'] ?? 10)
const seed = Number(process.env['SEED'] ?? 1)

// `up` waits longer before each restart of a part that keeps ending, and gives up after ten in five minutes.
const roundsPerStart = 6

let data: string
let stack: Stack
let repo: GitRepo
beforeAll(async () => {
  data = await newDirectory('muster-scenario-crash-')
  stack = await startStack({ dataDir: data })
  // Large enough that fetching, checking out and pushing take long enough to be hit.
  const bulk = Object.fromEntries(
    [1, 2, 3, 4].map((at) => [`bulk${at}.txt`, randomBytes(3_000_000).toString('base64')]),
  )
  repo = await gitRepo({ 'a.txt': 'A\n', ...bulk })
  await addRepo(stack, 'demo', repo.path)
})
afterAll(async () => {
  await stack.stop()
  await rm(data, { recursive: true, force: true })
  await repo.remove()
})

/** Every pair of moment and victim comes once in 24 rounds, in an order that follows from the seed. */
function planOf(count: number): { at: number; moment: Moment; victim: Victim }[] {
  const random = createRandom(seed)
  const [moment, victim] = [shuffled(moments, random), shuffled(victims, random)]
  return Array.from({ length: count }, (_, at) => ({
    at: at + 1,
    moment: moment[at % moment.length] ?? 'idle',
    victim: victim[at % victim.length] ?? 'worker',
  }))
}

const addWork = (marker: string) =>
  add(
    stack,
    'demo',
    'Survive',
    ...['--run', `head -c 20M /dev/urandom > result.bin; echo ${marker} > mark.txt; sleep 0.5 # ${marker}`],
    ...['--check', `command_succeeds:sleep 0.5; grep -q ${marker} mark.txt`],
    ...['--timeout', '120s'],
  )

type Hit = { taskId: string; where: string }

/** Adds a task, kills the victim while the task is at the moment, and answers where it was by its events. */
async function strike(moment: Moment, victim: Victim, marker: string): Promise<Hit> {
  if (moment === 'idle') {
    await killAndAwait(stack, victim)
    return { taskId: (await addWork(marker)).id, where: 'idle' }
  }
  const pids = await stack.pids()
  if (moment === 'assigned') {
    const thaw = freeze(pids.worker)
    const { id } = await addWork(marker)
    await untilRow(stack, `select 1 from muster.tasks where id = $1 and state = 'assigned'`, [id], moment)
    return hit(id, victim, thaw)
  }
  const { id } = await addWork(marker)
  if (moment === 'finishing') {
    const found = await untilState(stack, id, (found) => found.phase !== null)
    // The name follows from title and id, and the file appears with the push.
    const branch = join(repo.path, `.git/refs/heads/muster/shell/survive-${found.short}`)
    return hit(id, victim, await freezeBeforeFinish(stack, branch))
  }
  await untilPhase(stack, id, moment)
  return hit(id, victim, () => {})
}

async function hit(taskId: string, victim: Victim, thaw: () => void): Promise<Hit> {
  const killing = killAndAwait(stack, victim)
  thaw()
  const killedAt = await killing
  // Later ones are of a run that outlived the database: its worker says them again as soon as that is back.
  const lines = await stack.sql<{ kind: string; phase: string | null; epoch: number | null }>(
    `select kind, data ->> 'phase' as phase, (data ->> 'epoch')::int as epoch from muster.events
     where task_id = $1 and at <= $2 order by txid, seq`,
    [taskId, killedAt],
  )
  // What the first run said last is where the fault found it.
  const first = lines.filter((line) => line.epoch === 1 && line.kind !== 'task.requeued')
  const last = first.at(-1)
  return { taskId, where: last?.phase ?? last?.kind ?? 'queued' }
}

const whereExpected: Record<Moment, RegExp> = {
  idle: /^idle$/,
  assigned: /^task\.(assigned|accepted)$|^preparing$/,
  preparing: /^preparing$/,
  running: /^running$/,
  carrying_out: /^carrying_out$/,
  verifying: /^verifying$/,
  publishing: /^(publishing|run\.publish_granted)$/,
  finishing: /^(run\.publish_granted|task\.done)$/,
}

async function expectEndedOnce(taskId: string, marker: string): Promise<void> {
  const task = await untilEnded(stack, taskId, 90_000)
  expect(task, task.reason ?? '').toMatchObject({ state: 'done', ending: 'verified' })
  const kinds = (await eventsOf(stack, taskId)).map((event) => event.kind)
  expect(kinds.filter((kind) => /^task\.(done|dead|cancelled)$/.test(kind))).toEqual(['task.done'])
  const evidence = await stack.sql<{ commit: string }>(
    'select commit from muster.evidence where task_id = $1',
    [taskId],
  )
  expect(evidence).toEqual([{ commit: task.commit }])
  expect(await repo.git('rev-parse', String(task.branch))).toBe(task.commit)
  expect(await repo.git('show', `${task.branch}:mark.txt`)).toBe(marker)
  const runs = await runsOf(stack, taskId)
  expect(runs.filter((run) => run.ending === 'verified')).toHaveLength(1)
  expect(runs.filter((run) => run.ending === null)).toEqual([])
  await expectNothingHeld(marker)
}

/** No lease, no file of a run, no process: nothing that a person would have to unlock. */
async function expectNothingHeld(marker: string): Promise<void> {
  expect(await stack.sql('select task_id from muster.task_queue')).toEqual([])
  await expectNothingOf(marker)
  for (const folder of ['journal', 'runs']) {
    await eventually(async () => (await readdir(join(data, 'worker', folder))).length === 0, {
      what: `worker/${folder} is empty`,
    })
  }
  await eventually(async () => (await stack.api('/workers')).status === 200)
}

describe(`kill -9 (seed ${seed}, ${rounds} rounds)`, () => {
  const hits: string[] = []

  it.each(planOf(rounds))(
    'round $at: of the $victim while a task is $moment: the task ends exactly once',
    async ({ at, moment, victim }) => {
      if (at > 1 && at % roundsPerStart === 1) {
        await stack.stop()
        stack = await startStack({ dataDir: data })
      }
      // A phase may be over before the kill arrives; such a throw shows nothing and is thrown again.
      for (let attempt = 1; ; attempt += 1) {
        const marker = `mark-${at}-${attempt}-${randomBytes(4).toString('hex')}`
        const { taskId, where } = await strike(moment, victim, marker)
        await expectEndedOnce(taskId, marker)
        const { attempt: runs } = await getTask(stack, taskId)
        hits.push(`round ${at}: ${victim} killed, wanted ${moment}, found ${where}, ${runs} run(s)`)
        process.stderr.write(`${hits.at(-1)}\n`)
        if (whereExpected[moment].test(where)) return
        expect(attempt, hits.join('\n')).toBeLessThan(4)
      }
    },
  )

  it('leaves the numbers of tasks, ends and proofs equal', async () => {
    const [counts] = await stack.sql<Record<string, string>>(
      `select (select count(*) from muster.tasks) as tasks,
              (select count(*) from muster.events where kind = 'task.created') as created,
              (select count(*) from muster.events where kind = 'task.done') as ends,
              (select count(*) from muster.evidence) as proofs,
              (select count(*) from muster.task_queue) as waiting`,
    )
    const tasks = String(hits.length)
    expect(counts).toEqual({ tasks, created: tasks, ends: tasks, proofs: tasks, waiting: '0' })
  })
})
