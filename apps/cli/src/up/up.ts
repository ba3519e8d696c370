import { join } from 'node:path'
import { type OwnerLock, takeOwnerLock } from '@muster/postgres/owner-lock'
import { PostgresError } from '@muster/postgres/postgres-error'
import type { Command, Context } from '../context.ts'
import { Failure } from '../failure.ts'
import { openHub, ownerToken } from '../connection.ts'
import { announce } from './announce.ts'
import { endLeftovers } from './leftovers.ts'
import { type Places, preparePlaces } from './places.ts'
import { requireFreePort } from './port.ts'
import { startParts } from './parts.ts'
import { ensureProgram } from './programs.ts'
import { createStopRequest, type StopRequest } from './stop-request.ts'
import { readUpFile, removeUpFile } from './up-file.ts'
import { buildPages } from './pages.ts'

/**
 * Everything on this machine as one command in the foreground. It ends its parts in order (worker, hub, database) when
 * it is asked to end. When it is killed, the parts notice (lifelines, the database's guard) and end themselves, and the
 * next start waits for those that have not yet.
 */
export const up: Command<object> = async (context) => {
  const { config, output } = context
  const places = await preparePlaces(config.data)
  const lock = await lockOrSayWhoHasIt(context, places)
  if (lock === undefined) return 0
  let kill = () => {}
  const stop = createStopRequest({
    lifeline: config.lifeline,
    force: () => {
      output.note('Ended without waiting.')
      kill()
      process.exit(1)
    },
  })
  try {
    await clearTheWay(context, places)
    await prepareMachine(context, stop)
    if (stop.signal.aborted) return 0
    const parts = await startParts({ config, output, places, stop })
    kill = parts.kill
    try {
      await greet(context, parts.url, { places, stop })
      await stop.requested()
    } finally {
      output.note('Stopping …')
      await parts.stop()
    }
  } finally {
    await removeUpFile(places.data)
    await lock.release()
  }
  const failure = stop.failure()
  if (failure !== undefined) throw failure
  output.note('Muster is stopped.')
  return 0
}

/** One `up` per data directory. The one that runs is what the person wanted, so that is no failure. */
async function lockOrSayWhoHasIt({ output }: Context, places: Places): Promise<OwnerLock | undefined> {
  try {
    return await takeOwnerLock(join(places.data, 'lock'))
  } catch (error) {
    if (!(error instanceof PostgresError) || error.code !== 'database_in_use') throw error
    const file = await readUpFile(places.data)
    if (output.json) output.document({ url: file?.url ?? null, data: places.data, alreadyRunning: true })
    else if (file !== undefined && file.url !== null) output.line(file.url)
    output.note(
      file === undefined || file.url === null
        ? 'Muster is being started by another process; see: npx muster status'
        : `Muster runs already (process ${file.pid}). A new sign-in link: npx muster sign-in`,
    )
    return undefined
  }
}

async function clearTheWay({ config, output }: Context, places: Places): Promise<void> {
  const before = await readUpFile(places.data)
  if (before !== undefined) await endLeftovers(before, ['worker', 'hub'], (text) => output.note(text))
  await removeUpFile(places.data)
  if (config.port !== 0) await requireFreePort(config.host, config.port)
}

async function prepareMachine({ config, output }: Context, { signal }: StopRequest): Promise<void> {
  const tools = { config, output, signal }
  await ensureProgram(
    { program: 'git', package: 'git', why: 'repositories are read and written with it' },
    tools,
  )
  await ensureProgram({ program: 'bwrap', package: 'bubblewrap', why: 'tasks run behind its wall' }, tools)
  await buildPages(tools)
}

async function greet(
  { output }: Context,
  url: string,
  { places, stop }: { places: Places; stop: StopRequest },
): Promise<void> {
  const token = await ownerToken(places.data)
  if (token === undefined) {
    throw new Failure('start_failed', 'The hub left no owner token.', `Its log is in ${places.logs}.`, 1)
  }
  await announce({ output }, openHub({ origin: url, token, output }), { places, signal: stop.signal })
}
