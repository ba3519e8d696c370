import { join } from 'node:path'
import { ifPresent } from '@muster/postgres/missing-file'
import { livingPostmaster } from '@muster/postgres/postmaster-file'
import { identify, isAlive } from '@muster/postgres/process-identity'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import { endLeftovers, goneWithin, signal } from './leftovers.ts'
import { findPlaces } from './places.ts'
import { livingParts, partNames, readUpFile, removeUpFile, supervisorOf, type UpFile } from './up-file.ts'

// The worker may take 15 s to stop its walls and the database 20 s on a slow disk.
const limitMs = 45_000

export const down: Command<object> = async ({ config, output }) => {
  const file = await readUpFile(config.data)
  const running = file !== undefined && (await isAlive(supervisorOf(file)))
  const left = file === undefined ? [] : await livingParts(file)
  const say = (text: string) => output.note(text)
  if (file !== undefined && running) await stopSupervisor(file, say)
  if (file !== undefined) await endLeftovers(file, partNames, say)
  const strayDatabase = await endStrayDatabase(config.data, say)
  await removeUpFile(config.data)
  const stopped = running || left.length > 0 || strayDatabase
  if (output.json) output.document({ stopped, data: config.data })
  else
    output.note(stopped ? 'Muster is stopped.' : `Muster does not run here (data directory ${config.data}).`)
  return 0
}

async function stopSupervisor(file: UpFile, say: (text: string) => void): Promise<void> {
  const supervisor = supervisorOf(file)
  say(`Stopping Muster (process ${supervisor.pid}) …`)
  await signal(supervisor, 'SIGTERM')
  if (await goneWithin(supervisor, limitMs)) return
  throw new Failure(
    'stop_failed',
    `Process ${supervisor.pid} did not end within ${limitMs / 1_000} s.`,
    `Look at it with: ps -o pid,stat,etime,args -p ${supervisor.pid}`,
    1,
  )
}

/** The database writes down its own pid; that also finds one whose `up` died before it could. */
async function endStrayDatabase(data: string, say: (text: string) => void): Promise<boolean> {
  const places = await ifPresent(findPlaces(data))
  if (places === undefined) return false
  const found = await livingPostmaster(join(places.database, 'data'))
  const identity = found === undefined ? undefined : await identify(found.pid)
  if (identity === undefined) return false
  say(`Stopping the database of an earlier start (process ${identity.pid}) …`)
  await signal(identity, 'SIGINT')
  if (await goneWithin(identity, limitMs)) return true
  throw new Failure(
    'stop_failed',
    `The database (process ${identity.pid}) did not end.`,
    `Look at: ps -p ${identity.pid}`,
    1,
  )
}
