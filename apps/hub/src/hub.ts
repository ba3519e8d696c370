import type { FastifyInstance } from 'fastify'
import { leaseMs } from '@muster/contract/wire'
import { createAgents } from './agents/agents.ts'
import { agentRoutes } from './agents/routes.ts'
import { serveWorker } from './agents/socket.ts'
import type { Config } from './config.ts'
import { createGuard } from './http/guard.ts'
import { createIdentity } from './identity/identity.ts'
import { identityRoutes } from './identity/routes.ts'
import { createDb } from './kernel/db.ts'
import { createEvents } from './kernel/events.ts'
import { createHints } from './kernel/hints.ts'
import { newId } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { roleUrl } from './kernel/roles.ts'
import { createTicker } from './kernel/ticker.ts'
import { createRepos } from './repos/repos.ts'
import { repoRoutes } from './repos/routes.ts'
import { createAssigner } from './runs/assign.ts'
import { createProgress, serveLive } from './runs/live.ts'
import { runRoutes } from './runs/routes.ts'
import { createRuns } from './runs/runs.ts'
import { createServer, type OpenSockets } from './server.ts'
import { createLeases } from './tasks/lease.ts'
import { taskRoutes } from './tasks/routes.ts'
import { createTasks } from './tasks/tasks.ts'
import { version } from './version.ts'

export type Hub = Awaited<ReturnType<typeof createHub>>

/** Builds the rooms from the lowest floor up and connects them. Everything is a value here; nothing is global. */
export async function createHub({ config, log }: { config: Config; log: Log }) {
  const onError = (what: string) => (error: unknown) => log.warn({ err: error }, what)
  const hubId = newId()
  const db = createDb({
    appUrl: roleUrl(config.databaseUrl, 'muster_app'),
    systemUrl: roleUrl(config.databaseUrl, 'muster_system'),
    onError: onError('a database connection was lost'),
  })
  const hints = createHints({
    url: roleUrl(config.databaseUrl, 'muster_system'),
    onError: onError('hints are interrupted; the loops go on by themselves'),
  })
  const events = createEvents({ hints })
  const identity = createIdentity({ db, events, now: Date.now })
  const agents = createAgents({ db, identity, events, hints, hubId })
  const repos = createRepos({ events })
  const tasks = createTasks({ agents, repos, events, hints })
  const leases = createLeases({ events, hints, leaseMs })
  const progress = createProgress()
  const runs = createRuns({ db, agents, tasks, leases, events, hints, progress })
  const assign = createAssigner({ db, agents, repos, tasks, leases })

  const open: OpenSockets = new Map()
  const address = { port: config.port }
  const origin = () => `http://${config.host === '::1' ? '[::1]' : config.host}:${address.port}`
  const app: FastifyInstance = await createServer({
    db,
    identity,
    guard: createGuard(() => address),
    handlers: {
      ...identityRoutes({ identity, origin, db }),
      ...agentRoutes({ agents, identity, busy: tasks.busy }),
      ...repoRoutes({ repos }),
      ...taskRoutes({ tasks }),
      ...runRoutes({ runs, tasks, events }),
    },
    sockets: [
      {
        path: '/api/v1/workers/socket',
        kind: 'worker',
        serve: (actor, socket) => serveWorker({ agents, runs: runs.handler, log, leaseMs, actor, socket }),
      },
      {
        path: '/api/v1/live',
        kind: 'person',
        serve: (actor, socket) =>
          serveLive(
            { db, events, hints, progress },
            actor,
            socket,
            onError('a live view failed; it goes on'),
          ),
      },
    ],
    open,
    log,
    version,
    webDist: config.webDist,
    ready: () => db.asSystem(async (tx) => void (await tx.query('select 1'))),
  })

  const loop = (everyMs: number, what: string, work: () => Promise<void>) =>
    createTicker({ everyMs, work, onError: onError(`${what} failed; it is tried again`) })
  const closeEnded = async () => {
    const ids = [...open.values()].flatMap((actor) => actor.credentialId ?? [])
    const ended = await identity.ended(ids)
    for (const [socket, actor] of open)
      if (ended.has(actor.credentialId ?? '')) socket.close(4003, 'unauthenticated')
  }

  return {
    db,
    agents,
    origin,
    isValidToken: async (secret: string) => (await identity.authenticate({ bearer: secret })) !== undefined,
    async listen(): Promise<string> {
      await app.listen({ host: config.host, port: config.port })
      const bound = app.server.address()
      if (typeof bound === 'object' && bound !== null) address.port = bound.port
      return origin()
    },
    /** The loops: each acts on what the database says, woken by hints and by time. */
    start() {
      const loops = [
        loop(1_000, 'assignment', assign),
        loop(1_000, 'the sweep of expired leases', runs.sweep),
        loop(1_000, 'closing ended sessions', closeEnded),
        loop(5_000, 'presence', agents.refreshPresence),
      ]
      hints.on('queue', () => loops[0]?.poke())
      return {
        async stop() {
          await Promise.all(loops.map((each) => each.stop()))
        },
      }
    },
    async close() {
      for (const socket of open.keys()) socket.close(1001, 'the hub stops')
      await app.close()
      await hints.close()
      await db.close()
    },
  }
}
