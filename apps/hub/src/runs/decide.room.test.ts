import { expect, test } from 'vitest'
import { addRepo, startHub } from '../../test-support/hub.ts'

test('a worker that comes back and may go on with a run has a whole lease for it again', async () => {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const task = await hub.call('createTask', { body: { repo: 'demo', title: 'mine', run: 'true' } })
  const token = await hub.workerToken('w')
  const first = await hub.worker({ token })
  const { epoch, runId } = await first.assigned()
  await first.close()
  await hub.sql(`update task_queue set lease_expires_at = now() + interval '3 s'`)
  const holding = [{ taskId: task.id, epoch, runId, phase: 'running' as const }]
  const back = await hub.worker({ token, holding })
  expect(back.welcome?.decisions).toMatchObject([{ action: 'continue' }])
  expect(await hub.sql(`select lease_expires_at > now() + interval '8 s' as whole from task_queue`)).toEqual([
    { whole: true },
  ])
})
