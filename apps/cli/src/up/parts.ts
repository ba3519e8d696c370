import { join } from 'node:path'
import { identify } from '@muster/postgres/process-identity'
import type { Config } from '../config.ts'
import { Failure } from '../failure.ts'
import type { Output } from '../output.ts'
import { checkout } from './checkout.ts'
import { startChild } from './child.ts'
import { openDatabase } from './database.ts'
import { startHub } from './hub.ts'
import { partPolicy } from './restart-policy.ts'
import { openLogFile } from './log-file.ts'
import type { Places } from './places.ts'
import type { StopRequest } from './stop-request.ts'
import { supervise, type Supervised } from './supervise.ts'
import { workerEnvironment } from './worker-environment.ts'
import { type PartName, type UpFile, writeUpFile } from './up-file.ts'

export type Parts = { url: string; stop(): Promise<void>; kill(): void }

type Wanted = { config: Config; output: Output; places: Places; stop: StopRequest }

/** Starts database, hub and worker, each on what the one before gave, and keeps them running. All or nothing. */
export async function startParts({ config, output, places, stop }: Wanted): Promise<Parts> {
  const running: Partial<Record<PartName, Supervised>> = {}
  const record = createRecord(places.data, running)
  const on = { changed: () => record.write(), say: (text: string) => output.note(text), givenUp: stop.fail }
  const stopAll = async () => {
    await running.worker?.stop()
    await running.hub?.stop()
    await running.database?.stop()
  }
  const parts = wantedParts({ config, places })
  try {
    await record.write()
    if (config.databaseUrl === null) {
      output.note('Starting the database …')
      running.database = await supervise(parts.database, on)
    }
    requireGoingOn(stop)
    output.note('Starting the hub …')
    running.hub = await supervise(parts.hub, on)
    requireGoingOn(stop)
    output.note('Starting the worker …')
    record.url = parts.url()
    running.worker = await supervise(parts.worker, on)
    await record.write()
  } catch (error) {
    await stopAll()
    throw error
  }
  return {
    url: parts.url(),
    stop: stopAll,
    kill: () => {
      running.worker?.kill()
      running.hub?.kill()
    },
  }
}

function requireGoingOn(stop: StopRequest): void {
  if (stop.signal.aborted)
    throw stop.failure() ?? new Failure('interrupted', 'Stopped before it was up.', '', 0)
}

function wantedParts({ config, places }: Pick<Wanted, 'config' | 'places'>) {
  const logs = {
    hub: openLogFile(places.logs, 'hub', config.logSizes),
    worker: openLogFile(places.logs, 'worker', config.logSizes),
    database: openLogFile(places.logs, 'database', config.logSizes),
  }
  // The address of the first start is kept for the later ones, also when the port was left to the system.
  let url = ''
  let databaseUrl = config.databaseUrl ?? ''
  return {
    url: () => url,
    database: {
      name: 'database',
      log: logs.database,
      policy: partPolicy,
      async start() {
        const database = await openDatabase(places.database, logs.database)
        databaseUrl = database.ownerUrl
        return database
      },
    },
    hub: {
      name: 'hub',
      log: logs.hub,
      policy: partPolicy,
      async start() {
        const { host, logLevel, messageDays, maxRunning, maxWaiting, models, inherited } = config
        const port = url === '' ? config.port : Number(new URL(url).port)
        const hub = await startHub({
          data: places.data,
          databaseUrl,
          databaseDir: config.databaseDir ?? (config.databaseUrl === null ? places.database : null),
          databaseReserveMb: config.databaseReserveMb,
          host,
          port,
          messageDays,
          maxRunning,
          maxWaiting,
          logLevel,
          models,
          inherited,
          log: logs.hub,
        })
        url = hub.url
        return hub
      },
    },
    worker: {
      name: 'worker',
      log: logs.worker,
      policy: config.workerPolicy,
      start: async (restarts: number) =>
        startChild({
          name: 'worker',
          script: checkout.worker,
          cwd: places.data,
          graceMs: 15_000,
          log: logs.worker,
          env: workerEnvironment(config, {
            hub: url,
            tokenFile: join(places.data, 'worker.token'),
            data: places.worker,
            slots: config.slots,
            supervisor: 'up',
            restarts,
          }),
        }),
    },
  }
}

/** Keeps up.json true. Writes follow each other, so that the last one to change is the one that stays. */
function createRecord(data: string, running: Partial<Record<PartName, Supervised>>) {
  let writing = Promise.resolve()
  const record = {
    url: '',
    async write() {
      writing = writing.then(async () => writeUpFile(data, await content()))
      await writing
    },
  }
  const content = async (): Promise<UpFile> => {
    const self = await identify(process.pid)
    const of = (name: PartName) => running[name]?.current()?.identity
    return {
      pid: process.pid,
      startTime: self?.startedAt ?? '',
      url: record.url === '' ? null : record.url,
      hubPid: of('hub')?.pid ?? null,
      hubStartTime: of('hub')?.startedAt ?? null,
      workerPid: of('worker')?.pid ?? null,
      workerStartTime: of('worker')?.startedAt ?? null,
      databasePid: of('database')?.pid ?? null,
      databaseStartTime: of('database')?.startedAt ?? null,
    }
  }
  return record
}
