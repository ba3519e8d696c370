import { routes, type RouteName, type RouteResponse } from '@muster/contract/routes'
import { createHub } from '../src/hub.ts'
import { ensureOwner, issueLocalToken } from '../src/identity/first-start.ts'
import { hashSecret, newSecret } from '../src/identity/secrets.ts'
import { newId } from '../src/kernel/ids.ts'
import { createLog } from '../src/kernel/log.ts'
import { noClouds, type ModelSettings } from '../src/models/settings.ts'
import { defaultLimits, type QueueLimits } from '../src/tasks/limits.ts'
import { atEndOfTest, hubDatabase, type HubDatabase, type OnFinished } from './database.ts'
import { requestOf, send, type Answer, type CallOptions, type Sent } from './http.ts'
import { connectLive, type LiveOptions } from './live-client.ts'
import { connectWorker, type WorkerOptions } from './worker-client.ts'

export type TestHub = Awaited<ReturnType<typeof startHub>>

/** A hub that serves on a free port until the test ends. `loops: false` leaves assignment and sweeps out. */
export async function startHub(
  options: {
    database?: HubDatabase
    loops?: boolean
    onFinished?: OnFinished
    limits?: Partial<QueueLimits>
    models?: Partial<ModelSettings>
    databaseDisk?: { dir: string; reserveMb: number }
  } = {},
) {
  const { onFinished = atEndOfTest } = options
  const database = options.database ?? (await hubDatabase(onFinished))
  const log = createLog({ level: process.env['MUSTER_TEST_LOG'] ?? 'silent', name: 'test hub' })
  const hub = await createHub({
    config: {
      databaseUrl: database.url,
      dataDir: '/nonexistent',
      host: '127.0.0.1',
      port: 0,
      logLevel: 'error',
      webDist: null,
      messageDays: 7,
      local: false,
      lifeline: false,
      limits: { ...defaultLimits, ...options.limits },
      // A port where nothing listens, so that no test meets a model of the machine that it runs on.
      models: { ...noClouds, ollamaUrl: 'http://127.0.0.1:9', ...options.models },
      databaseDisk: options.databaseDisk ?? { dir: null, reserveMb: null },
      notify: process.env['MUSTER_NOTIFY'] !== 'off',
    },
    log,
  })
  const owner = await ensureOwner(hub.db)
  const url = await hub.listen()
  const loops = options.loops === false ? undefined : hub.start()
  let stopped = false
  const stop = async () => {
    if (stopped) return
    stopped = true
    await loops?.stop()
    await hub.close()
  }
  onFinished(stop)
  const ownerToken = await issueLocalToken(hub.db, { ...owner, name: 'test', workerId: null })

  const raw = (sent: Sent): Promise<Answer> => send(url, sent)
  const attempt = (name: RouteName, input: CallOptions = {}): Promise<Answer> =>
    raw(requestOf(name, input.token === undefined ? ownerToken : input.token, input))
  return {
    ...owner,
    url,
    database,
    sql: database.sql,
    ownerToken,
    hub,
    stop,
    raw,
    /** Calls an operation of the contract and answers whatever came. */
    attempt,
    /** Calls an operation that must succeed; the answer must fit the contract and hold nothing it does not name. */
    async call<N extends RouteName>(name: N, input: CallOptions = {}): Promise<RouteResponse<N>> {
      const answer = await attempt(name, input)
      if (answer.status !== routes[name].status) {
        throw new Error(`${name} answered ${answer.status}: ${answer.text}`)
      }
      const parsed = routes[name].response.parse(answer.body)
      if (JSON.stringify(sorted(parsed)) !== JSON.stringify(sorted(answer.body))) {
        throw new Error(`${name} answered more than the contract names: ${answer.text}`)
      }
      return parsed as RouteResponse<N>
    },
    async workerToken(name: string): Promise<string> {
      const workerId = await hub.agents.ensureWorker(owner.workspaceId, name)
      return issueLocalToken(hub.db, { workspaceId: owner.workspaceId, name, personId: null, workerId })
    },
    /** Without `token`: of a worker made for this connection. */
    async worker({ token, ...more }: Partial<WorkerOptions> = {}) {
      return connectWorker(url, { token: token ?? (await this.workerToken(`w-${newId()}`)), ...more })
    },
    live: (more: Partial<LiveOptions> = {}) => connectLive(url, { token: ownerToken, ...more }),
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}

/** A workspace with its own person and token, made behind the hub's back: this version has no way to make a second. */
export async function addWorkspace(database: HubDatabase, name: string) {
  const made = { workspaceId: newId(), personId: newId(), token: newSecret('person') }
  await database.sql('insert into workspaces (id, name) values ($1, $2)', [made.workspaceId, name])
  await database.sql('insert into people (workspace_id, id, name) values ($1, $2, $3)', [
    made.workspaceId,
    made.personId,
    `person of ${name}`,
  ])
  await database.sql(
    `insert into tokens (workspace_id, id, kind, name, hash, person_id) values ($1, $2, 'person', $3, $4, $5)`,
    [made.workspaceId, newId(), `token of ${name}`, hashSecret(made.token), made.personId],
  )
  return made
}

/** A repository as a row only: nothing in the hub looks at it after it was registered. */
export async function addRepo(database: HubDatabase, workspaceId: string, name = 'demo'): Promise<string> {
  const id = newId()
  await database.sql('insert into repos (workspace_id, id, name, url) values ($1, $2, $3, $4)', [
    workspaceId,
    id,
    name,
    '/srv/demo',
  ])
  return id
}
