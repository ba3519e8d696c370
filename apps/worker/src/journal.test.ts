import type { Assignment, RunResult } from '@muster/contract/wire'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from './journal.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-journal-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const id = '01a1fcba-e42f-706e-8a4d-c1dffa8f8dfe'
const assignment: Assignment = {
  taskId: id,
  epoch: 1,
  runId: id,
  attempt: 1,
  title: 'T',
  repo: { id, name: 'demo', url: '/srv/demo' },
  agent: 'shell',
  branch: 'muster/shell/t',
  failedBranch: 'muster-failed/shell/t',
  executor: 'shell',
  loop: null,
  command: 'true',
  checks: [],
  mayChange: [],
  allowEmpty: false,
  wall: 'namespace',
  network: 'none',
  timeoutMs: 1_000,
  deadlineMs: 1_000,
}
const result: RunResult = {
  ending: 'execution_failed',
  reason: 'no',
  exitCode: 1,
  base: null,
  commit: null,
  branch: null,
  report: null,
  diff: '',
  diffTruncated: false,
}

test('what was begun and what was finished is there for the next process, and what was forgotten is not', async () => {
  const journal = await openJournal(dir)
  await journal.begin(assignment)
  expect(await (await openJournal(dir)).recover()).toEqual([{ assignment, result: null }])
  await journal.finish(assignment, result)
  expect(await (await openJournal(dir)).recover()).toEqual([{ assignment, result }])
  await journal.forget(assignment.runId)
  expect(await (await openJournal(dir)).recover()).toEqual([])
})

test('half a file, which was never acted on, is dropped and does not stop the others from being read', async () => {
  const journal = await openJournal(dir)
  await journal.begin(assignment)
  await writeFile(join(dir, 'half.json'), '{"assignment":')
  await writeFile(join(dir, `${id}.json.new`), '{}')
  expect(await journal.recover()).toHaveLength(1)
  expect(await readdir(dir)).toEqual([`${id}.json`])
})
