import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresError } from './postgres-error.ts'
import type { Postmaster } from './postmaster.ts'
import { identify, isAlive } from './process-identity.ts'

// Fast shutdown ends with a checkpoint; 20 s is for a slow disk, after SIGQUIT only recovery at the next start is lost.
const fastShutdownMs = 20_000
const immediateShutdownMs = 10_000

export async function stopServer(postmaster: Postmaster): Promise<void> {
  if (await signalAndWait(postmaster, 'SIGINT', fastShutdownMs)) return
  if (await signalAndWait(postmaster, 'SIGQUIT', immediateShutdownMs)) return
  throw new PostgresError(
    'stop_failed',
    `the database server (process ${postmaster.pid}) did not stop after SIGINT and SIGQUIT`,
    `It may hang in a system call on a broken disk; look with: ps -o pid,stat,wchan -p ${postmaster.pid}`,
  )
}

async function signalAndWait(
  postmaster: Postmaster,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<boolean> {
  const identity = await identify(postmaster.pid)
  if (identity === undefined) return true
  process.kill(postmaster.pid, signal)
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    if (!(await isAlive(identity))) return true
    await sleep(5)
  }
  return false
}
