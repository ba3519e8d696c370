import { Pool } from 'pg'
import { taskCreate } from '@muster/contract/tasks'
import { leaseMs } from '@muster/contract/wire'
import type { Connection } from '../../../apps/hub/src/agents/connections.ts'
import { createRooms } from '../../../apps/hub/src/hub.ts'
import { defaultLimits } from '../../../apps/hub/src/tasks/limits.ts'
import { ensureOwner } from '../../../apps/hub/src/identity/first-start.ts'
import type { Actor } from '../../../apps/hub/src/kernel/actor.ts'
import { newId } from '../../../apps/hub/src/kernel/ids.ts'
import { migrate } from '../../../apps/hub/src/kernel/migrate.ts'
import { createTicker } from '../../../apps/hub/src/kernel/ticker.ts'
import { noClouds } from '../../../apps/hub/src/models/settings.ts'
import { claimBatch, inParallel, type OpenEngine } from './engine.ts'
import { benchTask, cordonAll, createFakeWorker, type Cycle } from './fake-worker.ts'
import { memoryNow } from './memory.ts'
import { seedBacklog, seedHistory } from './seed-muster.ts'

const hello = {
  type: 'hello' as const,
  id: 1,
  wire: 1 as const,
  version: '0',
  host: 'bench',
  slots: claimBatch,
  capabilities: [],
  walls: [{ kind: 'namespace' as const, ok: true, detail: 'not looked at' }],
  holding: [],
}

/**
 * Muster's own path without its sockets: tasks are submitted, assigned and ended by the same rooms that the hub builds,
 * with row-level security, fence, events, runs and evidence.
 */
// As many at once as the engines beside it.
const limits = { ...defaultLimits, maxRunning: 10_000, maxWaiting: 10_000_000 }

export function openMusterRooms(cycle: Cycle): OpenEngine {
  return async (url) => {
    await migrate(url)
    const failures: unknown[] = []
    const rooms = createRooms(
      { databaseUrl: url, limits, notify: true, messageDays: 7, models: noClouds },
      leaseMs,
      () => (error) => void failures.push(error),
    )
    const { workspaceId, personId } = await ensureOwner(rooms.db)
    const owner = new Pool({ connectionString: url, options: '-c search_path=muster', max: 1 })
    owner.on('error', () => {})
    const repoId = newId()
    await owner.query(`insert into repos (workspace_id, id, name, url) values ($1, $2, 'bench', '/bench')`, [
      workspaceId,
      repoId,
    ])
    const person: Actor = { kind: 'person', workspaceId, id: personId, label: 'owner', credentialId: null }
    const submit = () => rooms.tasks.handIn(person, taskCreate.parse(benchTask), undefined)
    let rest = async () => {}
    const mustBeFine = () => {
      if (failures.length > 0) throw new Error(`Muster failed: ${String(failures[0])}`)
    }

    return {
      async bulk(count) {
        await inParallel(claimBatch, count, async () => void (await submit()))
      },
      enqueue: async () => void (await submit()),
      async work(concurrency, onStart) {
        const join = async (name: string) => {
          const workerId = await rooms.agents.ensureWorker(workspaceId, name)
          const actor: Actor = {
            kind: 'worker',
            workspaceId,
            id: workerId,
            label: name,
            credentialId: newId(),
          }
          const worker = createFakeWorker({
            // Shared between the two, so that as many run as are asked for.
            concurrency: concurrency / 2,
            cycle,
            onStart,
            say: async (said) =>
              void (await rooms.runs.handler.handle(actor, connection, { id: 1, ...said })),
            onError: (error) => failures.push(error),
          })
          const connection: Connection = {
            workspaceId,
            workerId,
            name,
            instance: name,
            credentialId: newId(),
            slots: claimBatch,
            capabilities: [],
            walls: [{ kind: 'namespace', ok: true, detail: 'not looked at' }],
            blocked: false,
            restarting: false,
            unanswered: 0,
            send: (message) => void (message.type === 'assign' && worker.take(message.assignment)),
            backlog: () => 0,
            ping: () => (connection.unanswered = 0),
            close: () => {},
            terminate: () => {},
          }
          await rooms.agents.connect(actor, { ...hello, instance: name }, connection, async () => [])
          return { actor, connection, idle: worker.idle }
        }
        const joined = [await join('bench-1'), await join('bench-2')]
        await owner.query(cordonAll, [null])
        const onError = (error: unknown) => void failures.push(error)
        const assignment = createTicker({ everyMs: 1_000, work: rooms.assign, onError })
        const presence = createTicker({ everyMs: 5_000, work: rooms.agents.refreshPresence, onError })
        const leave = rooms.hints.on('queue', assignment.poke)
        rest = async () => {
          leave()
          await owner.query(cordonAll, ['the bench rests'])
          await assignment.stop()
          await Promise.all(joined.map(({ idle }) => idle()))
          await presence.stop()
          for (const { actor, connection } of joined) await rooms.agents.disconnect(actor, connection)
        }
      },
      rest: () => rest(),
      memory: async () => memoryNow(),
      async pending() {
        mustBeFine()
        const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from task_queue')
        return rows[0]?.n ?? 0
      },
      async seedHistory(count) {
        await seedHistory(owner, workspaceId, repoId, count)
        return true
      },
      seedBacklog: (count) => seedBacklog(owner, workspaceId, repoId, count),
      async close() {
        // Before the rest: a hint that is under way while its connection closes is reported, and is nothing.
        mustBeFine()
        await rooms.hints.close()
        await rooms.db.close()
        await owner.end()
      },
    }
  }
}
