import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { Assignment } from '@muster/contract/wire'
import { expect, onTestFinished, test } from 'vitest'
import { carry } from './carry.ts'
import { holdRun, stopRun, type StopCause } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import { openJournal } from './journal.ts'
import { createLog } from './log.ts'
import type { RunTools } from './run-tools.ts'
import { CannotRun } from './prepare.ts'
import { createRunner } from './runner.ts'
import { createSlots } from './slots.ts'
import { WireError } from './wire-error.ts'

const assignment = {
  runId: randomUUID(),
  taskId: randomUUID(),
  epoch: 1,
  repo: { id: 'r', name: 'demo', url: '/nowhere' },
} as Assignment

type Said = { type: string; code?: string; reason?: string }
type Room = Awaited<ReturnType<Parameters<typeof carry>[0]['room']>>

/** One assignment on a worker without a free slot, whose hub answers everything, or is away. */
async function carried(
  stop: StopCause | null,
  more: {
    room?: Room
    hub?: 'there' | 'away'
    prepare?: (journal: string) => Promise<void>
    wake?: () => Promise<null>
  } = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'muster-carry-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const journal = await openJournal(join(dir, 'journal'))
  await more.prepare?.(join(dir, 'journal'))
  const log = createLog('silent')
  const run = holdRun(assignment, 0)
  const said: Said[] = []
  const deliver = async (message: Said) => {
    if (more.hub === 'away') throw new WireError('aborted', 'The hub is away.')
    said.push(message)
  }
  const done = carry(
    {
      link: () => ({ deliver }) as unknown as HubLink,
      journal,
      // No mirror yet, as for every run that never began.
      runner: createRunner(
        { runsDir: join(dir, 'runs'), mirrors: { pathOf: () => join(dir, 'none') } } as unknown as RunTools,
        log,
      ),
      slots: createSlots(more.wake === undefined ? 0 : 1),
      log,
      recheckWalls: () => {},
      room: async () => more.room ?? null,
      wake: more.wake ?? (async () => null),
      closing: new AbortController().signal,
    },
    run,
  )
  if (stop !== null) stopRun(run, stop, log)
  await done
  return { left: await readdir(join(dir, 'journal')), said: said.map(({ type, code }) => [type, code]) }
}

test.each(['cancelled', 'lease_lost'] as const)(
  'a run that is %s while it waits for a slot leaves nothing to say',
  async (cause) => {
    expect(await carried(cause)).toEqual({ left: [], said: [] })
  },
)

test('a run that is stopped with its worker stays in the journal, so that the next start says it is lost', async () => {
  expect(await carried('shutdown')).toEqual({ left: [`${assignment.runId}.json`], said: [] })
})

test('a run that is stopped for a restart is said to be lost at once, and in the journal if the hub is away', async () => {
  expect(await carried('restart')).toEqual({ left: [], said: [['refuse', 'run_lost']] })
  expect(await carried('restart', { hub: 'away' })).toEqual({ left: [`${assignment.runId}.json`], said: [] })
})

test('on a full disk an assignment is refused before anything is written, and its task is not lost', async () => {
  const room = { code: 'disk_full', reason: 'nothing is free' } as const
  expect(await carried(null, { room })).toEqual({ left: [], said: [['refuse', 'disk_full']] })
})

test('a disk that is found full by the journal alone refuses the assignment too', async () => {
  const full = `${assignment.runId}.json.new`
  // Every write to this device fails with ENOSPC, by the kernel.
  const prepare = (journal: string) => symlink('/dev/full', join(journal, full))
  expect(await carried(null, { prepare })).toEqual({ left: [], said: [['refuse', 'disk_full']] })
})

test('an assignment whose host cannot be woken is refused and never accepted', async () => {
  const wake = () => Promise.reject(new CannotRun('wake_failed', 'no route to host'))
  expect(await carried(null, { wake })).toEqual({ left: [], said: [['refuse', 'wake_failed']] })
})
