import { gitRepo } from '@muster/testkit/git-repos'
import { expect, it, onTestFinished } from 'vitest'
import { startStack } from './stack.ts'
import { addAndWait, addRepo } from './tasks-of.ts'

const work = ['--run', 'echo x > x.txt', '--check', 'file_exists:x.txt']

it('a nearly full disk of the database is said by status, doctor and a refused task; with room all is as ever', async () => {
  const repo = await gitRepo({ 'a.txt': 'A\n' })
  onTestFinished(() => repo.remove())
  // No disk has a petabyte free.
  const full = await startStack({ env: { MUSTER_DATABASE_RESERVE: '1000000000' } })
  try {
    await addRepo(full, 'demo', repo.path)
    await expect
      .poll(async () => (await full.muster('status')).stdout, { timeout: 30_000 })
      .toMatch(/^refused +\d+ MB are free on the disk of the database/m)
    const refused = await full.muster('task', 'add', '--repo', 'demo', '--title', 'T', ...work, '--json')
    expect([refused.code, JSON.parse(refused.stderr)]).toEqual([
      75,
      expect.objectContaining({
        code: 'database_full',
        hint: expect.stringContaining('Make room') as string,
      }),
    ])
    const { findings } = (await full.muster('doctor', '--json')).json() as { findings: { id: string }[] }
    expect(findings.find(({ id }) => id === 'hub')).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('No new task is taken') as string,
    })
  } finally {
    await full.stop()
  }
  const roomy = await startStack({ env: { MUSTER_DATABASE_RESERVE: '0' } })
  try {
    await addRepo(roomy, 'demo', repo.path)
    expect((await addAndWait(roomy, 'demo', 'T', ...work)).task).toMatchObject({ state: 'done' })
    expect((await roomy.muster('status')).stdout).not.toContain('refused')
  } finally {
    await roomy.stop()
  }
})
