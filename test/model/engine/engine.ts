import { taskCreate } from '@muster/contract/tasks'
import type { HubMessage, WorkerMessage } from '@muster/contract/wire'
import type { Connection } from '../../../apps/hub/src/agents/connections.ts'
import type { RunHandler, RunMessage } from '../../../apps/hub/src/agents/socket.ts'
import type { Actor } from '../../../apps/hub/src/kernel/actor.ts'
import type { Db, Tx } from '../../../apps/hub/src/kernel/db.ts'
import { MusterError } from '../../../apps/hub/src/kernel/errors.ts'
import { once } from '../../../apps/hub/src/kernel/idempotency.ts'
import { newId } from '../../../apps/hub/src/kernel/ids.ts'
import { branchesOf } from '../../../apps/hub/src/runs/branches.ts'
import {
  failed,
  openRooms,
  type Around as RoomsAround,
  passingReport,
  verified,
} from '../../../apps/hub/test-support/rooms.ts'
import { goodWall } from '../../../apps/hub/test-support/worker-client.ts'
import { commitOf, type Lease, type Message, type Operation } from '../operations.ts'
import { workers, workspaces, type ModelDatabase } from './database.ts'

/** What somebody outside saw of one operation. */
export type Seen = {
  /** `ok`, the code of the refusal, or `broken: …` for what is no answer at all. */
  code: string
  task?: string
  lost?: { taskId: string; epoch: number }[]
  decisions?: { taskId: string; epoch: number; action: string }[]
}

/** A message of a hub to a worker, as long as its connection is not cut. */
export type Sent = { hub: number; worker: number; message: HubMessage }

/** What the engine calls a task, a run, a branch: the program knows them by number only. */
export type Names = {
  task(task: number): string
  run(run: number): string
}

const title = 'A task'

/** Of a workspace at once; fewer than its workers have slots, so that the bound is met. */
export const maxRunning = 3

/** Branch for proven work of this task, and for work that is kept. */
export function branchesFor(taskId: string): { proven: string; kept: string } {
  const { branch, failedBranch } = branchesOf('shell', { title, short: taskId.slice(-8) })
  return { proven: branch, kept: failedBranch }
}

/** What stands between the engine and its parts, and between it and its database: nothing, or what breaks it. */
export type Around = RoomsAround & {
  db?: (db: Db) => Db
  handler?: (handler: RunHandler) => RunHandler
}

type Hub = Awaited<ReturnType<typeof openHub>>
type Line = Connection & { frozen: boolean; dropped: boolean }

/** A restarted hub gets another id; its number is in it, because the program names it by that. */
const hubIdOf = (at: number) => `${newId().slice(0, -4)}000${at}`
export const hubOfId = (id: string | null) => (id === null ? null : Number(id.slice(-4)))

async function openHub(database: ModelDatabase, at: number, db: Db, around: Around) {
  const rooms = await openRooms({
    database,
    db: around.db?.(db) ?? db,
    hubId: hubIdOf(at),
    around,
    limits: { maxRunning },
  })
  const handler = around.handler?.(rooms.runs.handler) ?? rooms.runs.handler
  return { rooms, handler, lines: new Map<number, Line>() }
}

/**
 * The only place that knows how the engine is called. It answers what was seen and judges nothing. `dbs` are the connections
 * of each hub, which outlive programs; `around` is what a broken variant puts in between.
 */
export async function openEngine(options: { database: ModelDatabase; dbs: Db[]; around: Around }) {
  const { database, dbs, around } = options
  const sent: Sent[] = []
  let localClock = 0
  const hubs: Hub[] = []
  for (const [at, db] of dbs.entries()) hubs.push(await openHub(database, at, db, around))

  return {
    sent,
    localClock: () => localClock,
    close: () => void (Date.now = trueClock),
    async perform(operation: Operation, names: Names): Promise<Seen> {
      try {
        return { code: 'ok', ...(await perform(operation, names)) }
      } catch (error) {
        if (error instanceof MusterError) return { code: error.code }
        return { code: `broken: ${error instanceof Error ? error.message : String(error)}` }
      }
    },
  }

  async function perform(operation: Operation, names: Names): Promise<Omit<Seen, 'code'>> {
    switch (operation.do) {
      case 'time':
        await database.pass(operation.ms)
        return {}
      case 'local clock':
        localClock = operation.ms
        Date.now = () => trueClock() + operation.ms
        return {}
      case 'wear':
        await database.sql('update tasks set losses = $2 where id = $1', [
          names.task(operation.task),
          operation.losses,
        ])
        return {}
      case 'restart':
        hubs[operation.hub] = await openHub(database, operation.hub, dbs[operation.hub] as Db, around)
        return {}
      default:
        return performAt(hubs[operation.hub] as Hub, operation, names)
    }
  }

  async function performAt(
    hub: Hub,
    operation: Exclude<Operation, { do: 'time' | 'local clock' | 'wear' | 'restart' }>,
    names: Names,
  ): Promise<Omit<Seen, 'code'>> {
    const { rooms, lines } = hub
    switch (operation.do) {
      case 'submit': {
        const after = operation.after.map((task) => names.task(task))
        if (operation.unknown) after.push('00000000-0000-7000-8000-0000000000ff')
        const lane = (['urgent', 'high', 'normal', 'low'] as const)[operation.lane] ?? 'normal'
        const body = taskCreate.parse({
          repo: 'demo',
          title,
          run: 'true',
          lane,
          after,
          timeoutMs: operation.timeoutMs,
          retries: operation.retries,
        })
        const actor = personOf(operation.ws)
        const keyed = { actor, key: `the-key-${operation.key}`, route: 'submit', body }
        const task = await rooms.tasks.handIn(actor, body, keyed)
        return { task: task.id }
      }
      case 'cancel': {
        const ref = names.task(operation.task)
        await asPerson(hub, operation, ref, (tx, actor) => rooms.runs.cancel(tx, actor, ref))
        return {}
      }
      case 'retry': {
        const ref = names.task(operation.task)
        await asPerson(hub, operation, ref, (tx, actor) => rooms.tasks.retry(tx, actor, ref))
        return {}
      }
      case 'dispatch':
        await rooms.assign()
        return {}
      case 'sweep':
        await rooms.runs.sweep()
        return {}
      case 'presence':
        await rooms.agents.refreshPresence()
        for (const [worker, line] of lines) {
          if (line.dropped) await leave(hub, worker, line)
          else if (!line.frozen) line.unanswered = 0
        }
        return {}
      case 'hello':
        return hello(hub, operation, names)
      case 'leave': {
        const line = lines.get(operation.worker)
        if (line !== undefined) await leave(hub, operation.worker, line)
        return {}
      }
      case 'freeze': {
        const line = lines.get(operation.worker)
        if (line === undefined) return {}
        line.frozen = operation.frozen
        line.unanswered = operation.frozen ? 2 : 0
        return {}
      }
      case 'renew': {
        const leases = operation.leases.map((lease) => ({
          taskId: names.task(lease.task),
          epoch: lease.epoch,
        }))
        return say(hub, operation.worker, { type: 'renew', id: 1, leases })
      }
      case 'say':
        return say(hub, operation.worker, messageOf(operation.lease, operation.message, names))
    }
  }

  /** As routes do: one transaction in the person's workspace, behind the key of the request. */
  function asPerson<T>(
    { rooms }: Hub,
    { do: verb, ws, key }: { do: string; ws: number; key: string },
    body: unknown,
    work: (tx: Tx, actor: Actor) => Promise<T>,
  ): Promise<T> {
    const actor = personOf(ws)
    return rooms.db.inWorkspace(actor.workspaceId, (tx) =>
      once(tx, { actor, key: `the-key-${key}`, route: verb, body }, () => work(tx, actor)),
    )
  }

  async function hello(hub: Hub, operation: Extract<Operation, { do: 'hello' }>, names: Names) {
    const { rooms, lines } = hub
    const at = hubs.indexOf(hub)
    const actor = actorOf(operation.worker)
    const line: Line = {
      workspaceId: actor.workspaceId,
      workerId: actor.id ?? '',
      name: actor.label,
      instance: operation.copy ? `copy of ${actor.label}` : actor.label,
      credentialId: newId(),
      slots: operation.slots,
      capabilities: [],
      blocked: false,
      restarting: false,
      walls: [{ ...goodWall, ok: operation.wall }],
      unanswered: 0,
      backlog: () => 0,
      frozen: false,
      dropped: false,
      send: (message) => void sent.push({ hub: at, worker: operation.worker, message }),
      ping: () => {},
      close: () => {},
      terminate: () => void (line.dropped = true),
    }
    const message: Extract<WorkerMessage, { type: 'hello' }> = {
      type: 'hello',
      id: 1,
      wire: 1,
      instance: line.instance,
      version: '0',
      host: 'h',
      slots: line.slots,
      capabilities: [],
      walls: line.walls,
      holding: operation.holding.map(({ phase, ...lease }) => ({ ...leaseOf(lease, names), phase })),
    }
    const decisions = await rooms.agents.connect(actor, message, line, (tx) =>
      hub.handler.decide(tx, actor, message),
    )
    lines.set(operation.worker, line)
    return { decisions }
  }

  async function leave({ rooms, lines }: Hub, worker: number, line: Line): Promise<void> {
    lines.delete(worker)
    await rooms.agents.disconnect(actorOf(worker), line)
  }

  async function say({ handler, lines }: Hub, worker: number, message: RunMessage) {
    const line = lines.get(worker)
    if (line === undefined) throw new Error(`worker ${worker} is not connected here`)
    return handler.handle(actorOf(worker), line, message)
  }
}

export type Engine = Awaited<ReturnType<typeof openEngine>>

const trueClock = Date.now

function personOf(ws: number): Actor {
  const workspaceId = workspaces[ws] ?? ''
  return { kind: 'person', workspaceId, id: workspaceId, label: 'owner', credentialId: null }
}

function actorOf(worker: number): Actor {
  const { name, ws, id } = workers[worker] as (typeof workers)[number]
  return { kind: 'worker', workspaceId: workspaces[ws] ?? '', id, label: name, credentialId: null }
}

const leaseOf = (lease: Lease, names: Names) => ({
  taskId: names.task(lease.task),
  epoch: lease.epoch,
  runId: names.run(lease.run),
})

function messageOf(lease: Lease, message: Message, names: Names): RunMessage {
  const { taskId, epoch, runId } = leaseOf(lease, names)
  const held = { id: 1, taskId, epoch }
  const { proven, kept } = branchesFor(taskId)
  switch (message.type) {
    case 'accept':
      return { type: 'accept', ...held }
    case 'refuse':
      return { type: 'refuse', ...held, code: message.code, reason: 'it cannot' }
    case 'wake':
      return { type: 'wake', ...held, attempt: 1, state: message.state, exitCode: 0, output: '' }
    case 'phase':
      return { type: 'phase', ...held, phase: message.phase }
    case 'output':
      return { type: 'output', ...held, batch: message.batch, chunks: [{ stream: 'stdout', text: 'x' }] }
    case 'progress':
      return { type: 'progress', taskId, epoch, text: 'on its way', percent: null }
    case 'publish': {
      const branch = { proven, kept, foreign: 'main' }[message.branch]
      return { type: 'publish', ...held, branch, commit: commitOf(lease.run, message.commit) }
    }
    case 'finish': {
      const commit = commitOf(lease.run, message.commit)
      const report = { ...passingReport(), commit }
      const base = report.base
      if (message.as === 'verified')
        return { type: 'finish', ...held, runId, result: verified(proven, { commit, report }) }
      if (message.as === 'unproven') {
        const failing = { ...report, overall: 'fail' as const }
        return { type: 'finish', ...held, runId, result: verified(proven, { commit, report: failing }) }
      }
      if (message.as === 'partial_pass') {
        return {
          type: 'finish',
          ...held,
          runId,
          result: failed({ ending: 'partial_pass', commit, branch: kept, base }),
        }
      }
      return { type: 'finish', ...held, runId, result: failed({ ending: message.as }) }
    }
  }
}
