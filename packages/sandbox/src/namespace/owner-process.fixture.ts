import { defaultLimits } from '../sandbox.ts'
import { createNamespaceDriver } from './driver.ts'

/** A worker that starts a wall with a stubborn command and waits to be killed. Run by driver.wall.test.ts. */
const [stateDir, cgroups, workspace] = process.argv.slice(2) as [string, 'found' | 'none', string]
const wall = await createNamespaceDriver({ stateDir, cgroups }).create({
  id: 'orphan',
  workspace,
  limits: defaultLimits,
  network: { kind: 'none' },
  env: {},
})
const stubborn = 'trap "" HUP TERM; setsid sh -c "while :; do date > alive; sleep 0.1; done" & wait'
const running = wall.exec(['sh', '-c', stubborn], { timeoutMs: 60_000, maxOutputBytes: 1_000 })
process.send?.('started')
await running
