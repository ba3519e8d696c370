import { mkdtemp, readdir, rm } from 'node:fs/promises'
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
import { createRunner } from './runner.ts'
import { createSlots } from './slots.ts'

const assignment = {
  runId: randomUUID(),
  taskId: randomUUID(),
  epoch: 1,
  repo: { id: 'r', name: 'demo', url: '/nowhere' },
} as Assignment

/** The files of the journal after a run that was stopped while it waited for a slot. */
async function journalAfter(cause: StopCause): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'muster-carry-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const journal = await openJournal(join(dir, 'journal'))
  const log = createLog('error')
  const run = holdRun(assignment, 0)
  const carried = carry(
    {
      link: () => ({}) as HubLink,
      journal,
      // No mirror yet, as for every run that never began.
      runner: createRunner(
        { runsDir: join(dir, 'runs'), mirrors: { pathOf: () => join(dir, 'none') } } as unknown as RunTools,
        log,
      ),
      slots: createSlots(0),
      log,
      recheckWalls: () => {},
      closing: new AbortController().signal,
    },
    run,
  )
  stopRun(run, cause, log)
  await carried
  return readdir(join(dir, 'journal'))
}

test.each(['cancelled', 'lease_lost'] as const)(
  'a run that is %s while it waits for a slot leaves nothing to say',
  async (cause) => {
    expect(await journalAfter(cause)).toEqual([])
  },
)

test('a run that is stopped with its worker stays in the journal, so that the next start says it is lost', async () => {
  expect(await journalAfter('shutdown')).toEqual([`${assignment.runId}.json`])
})
