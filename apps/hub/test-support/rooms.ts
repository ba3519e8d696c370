import type { CheckResult, Report } from '@muster/contract/checks'
import { taskCreate, type Task, type TaskCreateInput } from '@muster/contract/tasks'
import { leaseMs, type RunResult } from '@muster/contract/wire'
import { createAgents, type Agents } from '../src/agents/agents.ts'
import { createCosts } from '../src/costs/costs.ts'
import type { Connection } from '../src/agents/connections.ts'
import type { RunMessage } from '../src/agents/socket.ts'
import { ensureOwner } from '../src/identity/first-start.ts'
import { createIdentity } from '../src/identity/identity.ts'
import type { Actor } from '../src/kernel/actor.ts'
import { createDb, type Db } from '../src/kernel/db.ts'
import { createEvents, type Events } from '../src/kernel/events.ts'
import type { Hints } from '../src/kernel/hints.ts'
import { newId } from '../src/kernel/ids.ts'
import { roleUrl } from '../src/kernel/roles.ts'
import { createMail } from '../src/mail/mail.ts'
import { createModels } from '../src/models/models.ts'
import { noClouds, type ModelSettings } from '../src/models/settings.ts'
import { createRepos } from '../src/repos/repos.ts'
import { branchesOf } from '../src/runs/branches.ts'
import { createAssigner } from '../src/runs/assign.ts'
import { createProgress } from '../src/runs/live.ts'
import { createRuns } from '../src/runs/runs.ts'
import { createLeases, type Leases } from '../src/tasks/lease.ts'
import { defaultLimits, type QueueLimits } from '../src/tasks/limits.ts'
import { createTasks, holds, type Tasks } from '../src/tasks/tasks.ts'
import { atEndOfTest, hubDatabase, type HubDatabase, type OnFinished } from './database.ts'
import { addRepo } from './hub.ts'
import { goodWall } from './worker-client.ts'

export type Rooms = Awaited<ReturnType<typeof openRooms>>
export type TestWorker = { actor: Actor; connection: Connection; sent: unknown[] }

/** Nothing listens: a test calls assignment and sweeps itself, so that nothing happens behind its back. */
export const noHints: Hints = { send: () => {}, on: () => () => {}, close: async () => {} }

/** What stands between the rooms and what they are given: how a test breaks the engine on purpose. */
export type Around = {
  events?: (events: Events) => Events
  agents?: (agents: Agents) => Agents
  tasks?: (tasks: Tasks) => Tasks
  leases?: (leases: Leases) => Leases
}

/**
 * The rooms of one hub with its real database and no server, no socket and no loop. `db` is one that the caller opened and
 * closes.
 */
export async function openRooms(
  options: {
    database?: HubDatabase
    db?: Db
    hubId?: string
    around?: Around
    keepDays?: number
    models?: Partial<ModelSettings>
    limits?: Partial<QueueLimits>
  } = {},
) {
  const { around = {} } = options
  const database = options.database ?? (await hubDatabase())
  const db = options.db ?? openDb(database, atEndOfTest)
  const hints = noHints
  const events = (around.events ?? unchanged)(createEvents({ hints }))
  const limits = { ...defaultLimits, ...options.limits }
  const hubId = options.hubId ?? newId()
  const identity = createIdentity({ db, events, now: Date.now })
  const agents = (around.agents ?? unchanged)(createAgents({ db, identity, events, hints, hubId, holds }))
  const mail = createMail({ db, agents, events, hints, keepDays: options.keepDays ?? 7 })
  const costs = createCosts({ events })
  const models = createModels({ db, events, hints, settings: testModels(options.models), costs })
  const repos = createRepos({ events })
  const tasks = (around.tasks ?? unchanged)(createTasks({ db, agents, models, repos, events, hints, limits }))
  const leases = (around.leases ?? unchanged)(
    createLeases({ agents, models, events, hints, leaseMs, limits }),
  )
  const progress = createProgress()
  const runs = createRuns({ db, agents, tasks, leases, events, hints, progress, costs, models })
  const assign = createAssigner({ db, agents, repos, leases })

  const { workspaceId, personId } = await ensureOwner(db)
  const person: Actor = { kind: 'person', workspaceId, id: personId, label: 'owner', credentialId: null }
  const repo = await database.sql<{ id: string }>('select id from repos')
  if (repo.length === 0) await addRepo(database, workspaceId)
  const inWorkspace = <T>(work: Parameters<typeof db.inWorkspace<T>>[1]) => db.inWorkspace(workspaceId, work)

  const rooms = { db, events, agents, mail, models, tasks, leases, runs, assign }
  return {
    ...rooms,
    database,
    sql: database.sql,
    workspaceId,
    person,
    inWorkspace,

    submit: (more: Partial<TaskCreateInput> = {}): Promise<Task> =>
      inWorkspace((tx) => tasks.submit(tx, person, taskCreate.parse({ ...shellTask, ...more }))),
    get: (id: string): Promise<Task> => inWorkspace((tx) => tasks.get(tx, id)),
    cancel: (id: string): Promise<Task> => inWorkspace((tx) => runs.cancel(tx, person, id)),
    retry: (id: string): Promise<Task> => inWorkspace((tx) => tasks.retry(tx, person, id)),

    /** A worker that is present at this hub and writes down what it is sent. */
    async worker(name: string, slots = 1): Promise<TestWorker> {
      const workerId = await agents.ensureWorker(workspaceId, name)
      await makePresent(database, { workerId, hubId, slots })
      return presentWorker(workspaceId, workerId, name, slots)
    },
    /** Leases the next task to this worker, with its run, as a round of assignment does. */
    async claim({ connection }: TestWorker) {
      const { workerId } = connection
      const slots = 1 + (await heldBy(database, workerId))
      agents.connections.add({ ...connection, slots })
      await makePresent(database, { workerId, hubId, slots })
      const before = await runIds(database)
      await assign()
      agents.connections.remove(agents.connections.get(workerId) ?? connection)
      const after = await database.sql<{ id: string; task_id: string; epoch: number }>(
        'select id, task_id, epoch from runs order by id',
      )
      const run = after.find((row) => !before.includes(row.id))
      if (run === undefined) return undefined
      const { branch } = branchesOf('shell', await this.get(run.task_id))
      return { taskId: run.task_id, epoch: run.epoch, runId: run.id, branch }
    },
    say: ({ actor, connection }: TestWorker, message: RunMessage) =>
      runs.handler.handle(actor, connection, message),
  }
}

function presentWorker(workspaceId: string, workerId: string, name: string, slots: number): TestWorker {
  const actor: Actor = { kind: 'worker', workspaceId, id: workerId, label: name, credentialId: newId() }
  const sent: unknown[] = []
  const connection: Connection = {
    workspaceId,
    workerId,
    name,
    instance: name,
    credentialId: actor.credentialId ?? '',
    slots,
    capabilities: [],
    walls: [goodWall],
    blocked: false,
    restarting: false,
    unanswered: 0,
    send: (message) => void sent.push(message),
    backlog: () => 0,
    ping: () => {},
    close: () => {},
    terminate: () => {},
  }
  return { actor, connection, sent }
}

/** No model of the machine that a test runs on: nothing listens there. */
function testModels(more: Partial<ModelSettings> = {}): ModelSettings {
  return { ...noClouds, ollamaUrl: 'http://127.0.0.1:9', ...more }
}

const unchanged = <T>(real: T): T => real

/** A hub's connections to this database. */
export function openDb(database: HubDatabase, onFinished: OnFinished, poolSize?: number): Db {
  const db = createDb({
    appUrl: roleUrl(database.url, 'muster_app'),
    systemUrl: roleUrl(database.url, 'muster_system'),
    onError: () => {},
    ...(poolSize === undefined ? {} : { poolSize }),
  })
  onFinished(() => db.close())
  return db
}

// A failure is the end at once, where a test does not say otherwise.
const shellTask = { repo: 'demo', title: 'A task', run: 'true', retries: 0 }

async function makePresent(database: HubDatabase, at: { workerId: string; hubId: string; slots: number }) {
  const text = `update workers set connected_hub = $2, last_seen_at = now(), slots = $3, walls = $4 where id = $1`
  await database.sql(text, [at.workerId, at.hubId, at.slots, JSON.stringify([goodWall])])
}

async function heldBy(database: HubDatabase, workerId: string): Promise<number> {
  const rows = await database.sql<{ n: number }>(
    'select count(*)::int as n from task_queue where worker_id = $1',
    [workerId],
  )
  return rows[0]?.n ?? 0
}

async function runIds(database: HubDatabase): Promise<string[]> {
  return (await database.sql<{ id: string }>('select id from runs')).map((row) => row.id)
}

const base = 'b'.repeat(40)
export const commit = 'c'.repeat(40)

export function passingReport(checks: { kind: CheckResult['kind']; target: string }[] = []): Report {
  return {
    overall: checks.length === 0 ? 'auto_pass' : 'pass',
    run: 1,
    commit,
    base,
    ms: 5,
    totals: { pass: checks.length, fail: 0, error: 0, timeout: 0 },
    changed: { files: 1, insertions: 1, deletions: 0 },
    proof: { restored: [], removed: [], merged: [] },
    checks: checks.map((check) => ({ ...check, status: 'pass' as const, output: '', ms: 1 })),
  }
}

export function verified(branch: string, more: Partial<RunResult> = {}): RunResult {
  return {
    ending: 'verified',
    reason: 'All checks passed.',
    exitCode: 0,
    base,
    commit,
    branch,
    report: passingReport(),
    diff: 'diff --git a/a b/a\n',
    diffTruncated: false,
    ...more,
  }
}

export function failed(more: Partial<RunResult> = {}): RunResult {
  return verified('', {
    ending: 'execution_failed',
    reason: 'The command ended with exit code 1.',
    exitCode: 1,
    commit: null,
    branch: null,
    report: null,
    diff: '',
    ...more,
  })
}
