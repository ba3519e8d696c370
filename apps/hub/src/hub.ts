import type { FastifyInstance } from 'fastify'
import type { RouteName } from '@muster/contract/routes'
import { leaseMs as usualLeaseMs } from '@muster/contract/wire'
import { closing } from '@muster/contract/wire-closing'
import { createAgents } from './agents/agents.ts'
import { createKillSwitch } from './agents/kill-switch.ts'
import { agentRoutes } from './agents/routes.ts'
import type { Config } from './config.ts'
import { createGuard } from './http/guard.ts'
import { createIdentity } from './identity/identity.ts'
import { identityRoutes } from './identity/routes.ts'
import { createDatabaseDisk } from './kernel/database-disk.ts'
import { createDb } from './kernel/db.ts'
import { createDuties, forgetFirings, type Duty } from './kernel/duty.ts'
import { createEvents } from './kernel/events.ts'
import { createHints } from './kernel/hints.ts'
import type { Handlers } from './kernel/handler.ts'
import { forgetOldKeys } from './kernel/idempotency.ts'
import { newId } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { roleUrl } from './kernel/roles.ts'
import { startLoops } from './loops.ts'
import { createMail } from './mail/mail.ts'
import { mailRoutes } from './mail/routes.ts'
import { createModels } from './models/models.ts'
import { modelRoutes } from './models/routes.ts'
import { createRepos } from './repos/repos.ts'
import { repoRoutes } from './repos/routes.ts'
import { createCosts } from './costs/costs.ts'
import { costRoutes } from './costs/routes.ts'
import { createGateway } from './gateway/gateway.ts'
import { createAssigner } from './runs/assign.ts'
import { createProgress } from './runs/live.ts'
import { runRoutes } from './runs/routes.ts'
import { createRuns } from './runs/runs.ts'
import { createServer, type OpenSockets } from './server.ts'
import { socketsOf } from './sockets.ts'
import { createLeases } from './tasks/lease.ts'
import { taskRoutes } from './tasks/routes.ts'
import { createTasks, holds } from './tasks/tasks.ts'
import { version } from './version.ts'

export type Hub = Awaited<ReturnType<typeof createHub>>
export type OnError = (what: string) => (error: unknown) => void

/** The rooms, from the lowest floor up. Everything is a value here; nothing is global, so two hubs fit in a process. */
export function createRooms(
  {
    databaseUrl,
    limits,
    notify,
    messageDays,
    models: settings,
  }: Pick<Config, 'databaseUrl' | 'limits' | 'notify' | 'messageDays' | 'models'>,
  leaseMs: number,
  onError: OnError,
) {
  const systemUrl = roleUrl(databaseUrl, 'muster_system')
  const appUrl = roleUrl(databaseUrl, 'muster_app')
  const db = createDb({ appUrl, systemUrl, onError: onError('a database connection was lost') })
  const hints = createHints({
    url: systemUrl,
    notify,
    onError: onError('hints are interrupted; the loops go on by themselves'),
  })
  const events = createEvents({ hints })
  const identity = createIdentity({ db, events, now: Date.now })
  const hubId = newId()
  const agents = createAgents({ db, identity, events, hints, hubId, holds })
  const mail = createMail({ db, agents, events, hints, keepDays: messageDays })
  const costs = createCosts({ events })
  const models = createModels({ db, events, hints, settings, costs })
  const repos = createRepos({ events })
  const tasks = createTasks({ db, agents, models, repos, events, hints, limits })
  const leases = createLeases({ agents, models, events, hints, leaseMs, limits })
  const progress = createProgress()
  const runs = createRuns({ db, agents, tasks, leases, events, hints, progress, costs, models })
  const assign = createAssigner({ db, agents, repos, leases })
  const due: Duty[] = [
    { name: 'ending tasks whose time is over', everyMs: 5_000, work: runs.expire },
    { name: 'telling of quiet runs', everyMs: 30_000, work: leases.tellQuiet },
    { name: 'moving waiting tasks up', everyMs: 30_000, work: leases.rebalance },
    { name: 'forgetting old request keys', everyMs: 60_000, work: forgetOldKeys },
    { name: 'taking old messages out of mailboxes', everyMs: 3_600_000, work: mail.evict },
    { name: 'settling calls that nobody settled', everyMs: 60_000, work: costs.settleOverdue },
    { name: 'forgetting past ticks', everyMs: 3_600_000, work: forgetFirings },
  ]
  const duties = createDuties({ db, hubId, duties: due })
  const lower = { db, hints, events, duties, identity, costs, agents, mail, models, repos }
  return { ...lower, tasks, progress, runs, assign, leaseMs }
}

export type Rooms = ReturnType<typeof createRooms>

function handlersOf(rooms: Rooms, origin: () => string): Handlers<RouteName> {
  const { identity, agents, mail, models, repos, tasks, runs, events, db } = rooms
  return {
    ...identityRoutes({ identity, origin, db }),
    ...agentRoutes({ agents, identity, busy: tasks.busy }),
    ...mailRoutes({ mail, agents }),
    ...costRoutes({ events, workerId: agents.namedId }),
    ...modelRoutes({ models, wanted: tasks.wantedModels, db }),
    ...repoRoutes({ repos }),
    ...taskRoutes({ tasks }),
    ...runRoutes({ runs, tasks, agents, events }),
  }
}

/** `leaseMs`: only for a test that waits for leases to end. */
export async function createHub({
  config,
  log,
  leaseMs = usualLeaseMs,
}: {
  config: Config
  log: Log
  leaseMs?: number
}) {
  const onError: OnError = (what) => (error) => log.warn({ err: error }, what)
  const rooms = createRooms(config, leaseMs, onError)
  const disk = createDatabaseDisk({ ...config.databaseDisk, log })
  const { db, identity, agents, hints } = rooms
  const open: OpenSockets = new Map()
  const address = { port: config.port }
  const origin = () => `http://${config.host === '::1' ? '[::1]' : config.host}:${address.port}`
  const app: FastifyInstance = await createServer({
    db,
    identity,
    guard: createGuard(() => address),
    handlers: handlersOf(rooms, origin),
    withoutDatabase: createKillSwitch(agents),
    admission: { createTask: disk.mustHaveRoom },
    sockets: socketsOf(rooms, log, onError),
    gateway: createGateway({ ...rooms, log }),
    open,
    log,
    version,
    webDist: config.webDist,
    ready: async () => {
      await db.asSystem((tx) => tx.query('select 1'))
      const message = disk.whyFull()
      return message === null ? undefined : { refuses: 'database_full', message }
    },
  })

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
    start: () => ({ stop: startLoops({ ...rooms, disk }, open, onError) }),
    async close() {
      for (const socket of open.keys()) socket.close(closing.hubStops.code, 'the hub stops')
      await app.close()
      await hints.close()
      await db.close()
    },
  }
}
