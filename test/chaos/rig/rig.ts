import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { identify } from '@muster/postgres/process-identity'
import { createClient } from '@muster/sdk/client'
import { gitRepo } from '@muster/testkit/git-repos'
import { fastParent } from '@muster/testkit/test-cluster'
import { slotsPerWorker } from '../settings.ts'
import { startDatabase, unmount, type Database } from './database.ts'
import { readEffects } from './effects.ts'
import { startFaultProxy, type Tap } from './fault-proxy.ts'
import type { HubStart } from './hub-main.ts'
import { layNetwork, removeDeadNetworks, whyNoNetwork, type Network } from './network.ts'
import { startPart, type Part } from './part.ts'
import { createPgWatch } from './pg-watch.ts'
import { createPhaseLog, noteNews, type PhaseLog } from './phase-log.ts'
import type { PhaseNews, WorkerStart } from './worker-main.ts'

export type Rig = Awaited<ReturnType<typeof startRig>>
export type HubSlot = Awaited<ReturnType<typeof openHubSlot>>
export type WorkerSlot = Awaited<ReturnType<typeof openWorkerSlot>>

type Common = {
  notify: 'on' | 'off'
  network: Network | undefined
  dir: string
  logDir: string
  database: Database
  log: PhaseLog
  accident: (what: string) => void
}

/** Real processes around real PostgreSQL, with a fault proxy on every link. Stays up over all rounds. */
export async function startRig(options: {
  hubs: number
  workers: string[]
  logDir: string
  /** Off: hubs hear of each other, and of what they themselves did, only when they look. */
  notify: 'on' | 'off'
}) {
  const dir = await ownPlace()
  const accidents: string[] = []
  const { logDir } = options
  const accident = (what: string) => void accidents.push(what)
  const note = (line: string) => appendFileSync(join(logDir, 'database.log'), `${line}\n`)
  const database = await startDatabase(dir, note, accident)
  const log = createPhaseLog()
  const network = whyNoNetwork() === undefined ? layNetwork(options.workers) : undefined
  const { notify } = options
  const common: Common = { notify, network, dir, logDir, database, log, accident }
  const hubs: HubSlot[] = []
  for (let at = 1; at <= options.hubs; at++) hubs.push(await openHubSlot(`h${at}`, common))
  for (const hub of hubs) await hub.start()
  const first = hubs[0] as HubSlot
  const token = readFileSync(join(dir, first.name, 'owner.token'), 'utf8').trim()
  const client = createClient({ origin: first.url, token })
  const repo = await gitRepo({ 'a.txt': 'A\n' })
  await client.call('addRepo', { body: { name: 'demo', url: repo.path } })
  const workers: WorkerSlot[] = []
  for (const [at, name] of options.workers.entries()) {
    const body = { kind: 'worker' as const, name }
    const { secret } = await client.call('createToken', { body })
    workers.push(await openWorkerSlot({ name, token: secret, hubs, first: at % hubs.length }, common))
  }
  await Promise.all(workers.map((worker) => worker.start()))
  return {
    dir,
    database,
    network,
    hubs,
    workers,
    log,
    token,
    /** What happened though nobody ordered it. */
    accidents: () => accidents.splice(0),
    effects: () => workers.flatMap((worker) => readEffects(worker.effectsFile)),
    branchesDir: join(dir, 'branches'),
    /** Of one more worker, whom a double plays that speaks the wire itself. */
    doubleToken: (await client.call('createToken', { body: { kind: 'worker', name: 'double' } })).secret,
    async close() {
      for (const slot of [...workers, ...hubs]) await slot.close()
      network?.remove()
      await database.close()
      await repo.remove()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** One folder per driver, named by its process, so that what a killed one left can be told and is removed here. */
async function ownPlace(): Promise<string> {
  const parent = await fastParent()
  for (const name of readdirSync(parent)) {
    const pid = /^muster-chaos-(\d+)$/.exec(name)?.[1]
    if (pid === undefined || (await identify(Number(pid))) !== undefined) continue
    unmount(join(parent, name, 'database'))
    rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 10 })
  }
  if (whyNoNetwork() === undefined) removeDeadNetworks((pid) => existsSync(`/proc/${pid}`))
  const dir = join(parent, `muster-chaos-${process.pid}`)
  mkdirSync(dir)
  chmodSync(dir, 0o711)
  return dir
}

/** A place for a hub: its address and its link to the database outlive the process in it. */
async function openHubSlot(name: string, common: Common) {
  const { dir, database, log } = common
  const dataDir = join(dir, name)
  const socketDir = join(dir, `${name}-pg`)
  mkdirSync(dataDir)
  mkdirSync(socketDir)
  const watch = createPgWatch(name, log)
  const toDatabase = await startFaultProxy({
    listen: { path: join(socketDir, '.s.PGSQL.5432') },
    connect: database.connect,
    tap: watch.tap,
  })
  const port = await freePort()
  let part: Part | undefined
  return {
    name,
    port,
    url: `http://127.0.0.1:${port}`,
    watch,
    toDatabase,
    part: () => part,
    async start() {
      const { notify } = common
      const start: HubStart = { databaseUrl: database.urlThrough(socketDir), dataDir, port, notify }
      part = startPart({
        name,
        script: join(import.meta.dirname, 'hub-main.ts'),
        start,
        logDir: common.logDir,
        onMessage: () => {},
        onEnd: (end) => endOf(name, end, common, () => (part = undefined)),
      })
      await part.ready
    },
    async close() {
      await part?.stop()
      toDatabase.close()
    },
  }
}

/** A place for a worker: its directory, its token and its link to the hubs outlive the process in it. */
async function openWorkerSlot(
  { name, token, hubs, first }: { name: string; token: string; hubs: HubSlot[]; first: number },
  common: Common,
) {
  const { dir, log, network } = common
  const toHub = await openBalancer({ host: network?.hubAddressOf(name) ?? '127.0.0.1', hubs, first })
  const effectsFile = join(dir, `${name}.effects`)
  const branchesDir = join(dir, 'branches')
  mkdirSync(branchesDir, { recursive: true })
  let part: Part | undefined
  return {
    name,
    toHub,
    effectsFile,
    part: () => part,
    async start() {
      const hub = `http://${network?.hubAddressOf(name) ?? '127.0.0.1'}:${toHub.port}`
      const files = { dataDir: join(dir, name), effectsFile, branchesDir }
      const start: WorkerStart = { name, token, hub, slots: slotsPerWorker, ...files }
      part = startPart({
        name,
        script: join(import.meta.dirname, 'worker-main.ts'),
        prefix: network?.prefixOf(name) ?? [],
        start,
        logDir: common.logDir,
        onMessage: (message) => {
          const news = message as PhaseNews
          if (news.type === 'phase') noteNews(log, name, news)
        },
        onEnd: (end) => endOf(name, end, common, () => (part = undefined)),
      })
      await part.ready
    },
    async close() {
      await part?.stop()
      toHub.close()
    },
  }
}

/** One address for several hubs: a connection goes to the first of them that runs. */
export function openBalancer({ host, hubs, first }: { host: string; hubs: HubSlot[]; first: number }) {
  const nearest = () => {
    const order = [...hubs.slice(first), ...hubs.slice(0, first)]
    return (order.find((each) => each.part() !== undefined) ?? order[0]) as HubSlot
  }
  return startFaultProxy({
    listen: { host, port: 0 },
    connect: () => connect(nearest().port, '127.0.0.1'),
    tap: () => hostRewriter(() => nearest().port),
  })
}

/** The hub refuses requests that were not sent to its own address, so a proxy in front of it says that one. */
function hostRewriter(port: () => number): Tap {
  let isFirst = true
  return {
    piece(way, piece, pass) {
      if (way === 'down' || !isFirst) return pass(piece)
      isFirst = false
      const text = piece.toString('latin1').replace(/^host: .*$/im, `Host: 127.0.0.1:${port()}`)
      pass(Buffer.from(text, 'latin1'))
    },
    closed: () => {},
  }
}

function endOf(name: string, end: { asked: boolean; how: string }, common: Common, forget: () => void): void {
  forget()
  common.log.leaveAll(name)
  if (!end.asked) common.accident(`${name} ended by itself: ${end.how}`)
}

/** Free now and kept for the whole run: a hub that is started again must be found where it was. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
