import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessIdentity } from '@muster/postgres/process-identity'
import { livingParts, type PartName, type UpFile } from './up-file.ts'

// Lifelines end hub and worker, and the guard the database, when `up` was killed: give them time to do so in order.
const patienceMs = 10_000
const afterAskingMs = 10_000

/**
 * Waits for the parts that a killed `up` left behind, and ends those that stay. A signal is only sent to a process
 * whose start time is the recorded one: the number alone may be somebody else's by now.
 */
export async function endLeftovers(
  file: UpFile,
  names: readonly PartName[],
  say: (text: string) => void,
): Promise<void> {
  const left = (await livingParts(file)).filter(({ name }) => names.includes(name))
  for (const { name, identity } of left) {
    say(`Waiting for the ${name} of an earlier start (process ${identity.pid}) to end.`)
    if (await goneWithin(identity, patienceMs)) continue
    // For PostgreSQL this is the fast shutdown: SIGTERM would wait for clients.
    await signal(identity, name === 'database' ? 'SIGINT' : 'SIGTERM')
    if (await goneWithin(identity, afterAskingMs)) continue
    await signal(identity, name === 'database' ? 'SIGQUIT' : 'SIGKILL')
    await goneWithin(identity, afterAskingMs)
  }
}

export async function goneWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs
  while (await isAlive(identity)) {
    if (Date.now() > deadline) return false
    await sleep(50)
  }
  return true
}

export async function signal(identity: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(identity))) return
  try {
    process.kill(identity.pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
