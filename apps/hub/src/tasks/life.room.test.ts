import { isTerminal, type TaskState } from '@muster/contract/task-states'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { commit, failed, openRooms, verified, type Rooms, type TestWorker } from '../../test-support/rooms.ts'

const kinds = [
  'submit',
  'submitAfter',
  'claim',
  'accept',
  'phase',
  'finish',
  'fail',
  'cancel',
  'retry',
  'expire',
  'refuse',
  'deadline',
  'stale',
] as const
const step = fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat(9) })
type Step = { kind: (typeof kinds)[number]; pick: number }
type Lease = { taskId: string; epoch: number; runId: string; branch: string }
type Known = { id: string; state: TaskState; after: string | null; lease: Lease | null; losses: number }

/** What should be true after each step, by rules far simpler than the hub's. */
class Model {
  readonly tasks: Known[] = []
  readonly old: Lease[] = []
  pick(n: number, fits: (task: Known) => boolean): Known | undefined {
    const fitting = this.tasks.filter(fits)
    return fitting[n % Math.max(fitting.length, 1)]
  }
  isOpen = (task: Known) => this.tasks.some((each) => each.id === task.after && each.state !== 'done')
  end(task: Known, state: TaskState): void {
    if (task.lease !== null) this.old.push(task.lease)
    task.lease = null
    task.state = state
    if (state !== 'done') return
    for (const child of this.tasks) {
      if (child.after === task.id && child.state === 'waiting') child.state = 'queued'
    }
  }
  lose(task: Known): void {
    task.losses += 1
    this.end(task, task.losses >= 10 ? 'dead' : 'queued')
  }
}

async function perform(rooms: Rooms, worker: TestWorker, model: Model, { kind, pick }: Step): Promise<void> {
  const leased = model.pick(pick, (task) => task.lease !== null)
  const held = { id: 1, taskId: leased?.id ?? '', epoch: leased?.lease?.epoch ?? 0 }
  switch (kind) {
    case 'submit':
    case 'submitAfter': {
      const parent = kind === 'submit' ? undefined : model.pick(pick, () => true)
      const task = await rooms.submit({ after: parent === undefined ? [] : [parent.id] })
      const known: Known = { id: task.id, state: 'queued', after: parent?.id ?? null, lease: null, losses: 0 }
      if (model.isOpen(known)) known.state = 'waiting'
      return void model.tasks.push(known)
    }
    case 'claim': {
      const lease = await rooms.claim(worker)
      const queued = model.tasks.filter((task) => task.state === 'queued')
      expect(lease === undefined).toBe(queued.length === 0)
      const task = queued.find((each) => each.id === lease?.taskId)
      expect(lease !== undefined && task === undefined).toBe(false)
      if (task !== undefined && lease !== undefined) Object.assign(task, { state: 'assigned', lease })
      return
    }
    case 'cancel': {
      const task = model.pick(pick, (each) => !isTerminal(each.state))
      if (task === undefined) return
      await rooms.cancel(task.id)
      return model.end(task, 'cancelled')
    }
    case 'retry': {
      const task = model.pick(pick, (each) => each.state === 'dead' || each.state === 'cancelled')
      if (task === undefined) return
      await rooms.retry(task.id)
      return void Object.assign(task, { state: model.isOpen(task) ? 'waiting' : 'queued', losses: 0 })
    }
    case 'stale': {
      const lease = model.old[pick % Math.max(model.old.length, 1)]
      if (lease === undefined) return
      const late = rooms.say(worker, { type: 'phase', id: 1, ...lease, phase: 'running' })
      return expect(late).rejects.toMatchObject({ code: 'stale_epoch' })
    }
    default:
      if (leased !== undefined) await performOnLease(rooms, worker, model, kind, leased, held)
  }
}

async function performOnLease(
  rooms: Rooms,
  worker: TestWorker,
  model: Model,
  kind: Step['kind'],
  task: Known,
  held: { id: number; taskId: string; epoch: number },
): Promise<void> {
  const { runId = '', branch = '' } = task.lease ?? {}
  switch (kind) {
    case 'accept':
      return void (await rooms.say(worker, { type: 'accept', ...held }))
    case 'phase':
      await rooms.say(worker, { type: 'phase', ...held, phase: 'verifying' })
      return void (task.state = 'verifying')
    case 'finish':
      await rooms.say(worker, { type: 'publish', ...held, branch, commit })
      await rooms.say(worker, { type: 'finish', ...held, runId, result: verified(branch) })
      return model.end(task, 'done')
    case 'fail':
      await rooms.say(worker, { type: 'finish', ...held, runId, result: failed() })
      return model.end(task, 'dead')
    case 'refuse':
      await rooms.say(worker, { type: 'refuse', ...held, code: 'sandbox_unavailable', reason: 'x' })
      await rooms.sql(`update task_queue set not_before = '-infinity'`)
      return model.end(task, 'queued')
    case 'expire':
      await rooms.sql(`update task_queue set lease_expires_at = now() - interval '1 s' where task_id = $1`, [
        task.id,
      ])
      await rooms.runs.sweep()
      return model.lose(task)
    default:
      await rooms.sql(`update task_queue set deadline_at = now() - interval '1 min' where task_id = $1`, [
        task.id,
      ])
      await rooms.runs.sweep()
      return model.end(task, 'dead')
  }
}

type StoredTask = {
  id: string
  state: TaskState
  epoch: number
  queued: boolean
  leased: boolean
  open_runs: number
}

async function look(rooms: Rooms): Promise<StoredTask[]> {
  return rooms.sql<StoredTask>(
    `select t.id, t.state, t.epoch, q.task_id is not null as queued, q.worker_id is not null as leased,
       (select count(*)::int from runs r where r.task_id = t.id and r.ended_at is null) as open_runs
     from tasks t left join task_queue q on q.task_id = t.id order by t.id`,
  )
}

/** The state that the events alone tell. */
async function folded(rooms: Rooms): Promise<Map<string, string>> {
  const events = await rooms.sql<{ kind: string; task_id: string; data: { state?: string; phase?: string } }>(
    'select kind, task_id, data from events where task_id is not null order by txid, seq',
  )
  const states = new Map<string, string>()
  const simple: Record<string, string> = {
    'task.assigned': 'assigned',
    'task.requeued': 'queued',
    'task.released': 'queued',
    'task.done': 'done',
    'task.dead': 'dead',
    'task.cancelled': 'cancelled',
  }
  for (const { kind, task_id: id, data } of events) {
    const phase = data.phase === 'verifying' || data.phase === 'publishing' ? 'verifying' : 'running'
    const state = simple[kind] ?? (kind === 'task.phase' ? phase : data.state)
    if (state !== undefined) states.set(id, state)
  }
  return states
}

test('for any program of verbs the state is the expected one, the events tell it and the epoch only rises', async () => {
  const rooms = await openRooms()
  const worker = await rooms.worker('w', 99)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (program) => {
      await rooms.sql(
        'truncate tasks, task_queue, task_dependencies, runs, run_output, evidence, steps, checkpoints, events',
      )
      const model = new Model()
      const epochs = new Map<string, number>()
      for (const each of program) {
        await perform(rooms, worker, model, each)
        for (const task of await look(rooms)) {
          expect(task.state).toBe(model.tasks.find((known) => known.id === task.id)?.state)
          expect(task.epoch).toBeGreaterThanOrEqual(epochs.get(task.id) ?? 0)
          epochs.set(task.id, task.epoch)
          const isLeased = ['assigned', 'running', 'verifying'].includes(task.state)
          expect(task.leased).toBe(isLeased)
          expect(task.queued).toBe(isLeased || task.state === 'queued')
          expect(task.open_runs).toBe(isLeased ? 1 : 0)
        }
      }
      const stored = new Map((await look(rooms)).map((task) => [task.id, task.state as string]))
      expect(await folded(rooms)).toEqual(stored)
      const proofs = await rooms.sql<{ task_id: string }>('select task_id from evidence order by 1')
      const done = model.tasks.filter((task) => task.state === 'done').map((task) => task.id)
      expect(proofs.map((row) => row.task_id)).toEqual(done.toSorted())
    }),
    { numRuns: 30 },
  )
})
