import { randomUUID } from 'node:crypto'
import type { Assignment } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { holdRun } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import { createLog } from './log.ts'
import { createReports } from './reports.ts'

test('the right to publish is asked for when every phase was taken, so that its event comes behind theirs', async () => {
  const run = holdRun({ taskId: randomUUID(), epoch: 1 } as Assignment, 0)
  const taken: string[] = []
  const answers: (() => void)[] = []
  const deliver = (message: { type: string; phase?: string }) =>
    new Promise<void>((resolve) => {
      taken.push(message.phase ?? message.type)
      answers.push(resolve)
    })
  const reports = createReports({ deliver } as unknown as HubLink, run, createLog('silent'))
  reports.phase('verifying')
  reports.phase('publishing')
  const granted = reports.publish('muster/bot/x', 'a'.repeat(40))
  for (const expected of [
    ['verifying'],
    ['verifying', 'publishing'],
    ['verifying', 'publishing', 'publish'],
  ]) {
    await new Promise((resolve) => setImmediate(resolve))
    expect(taken).toEqual(expected)
    answers.shift()?.()
  }
  await granted
})
