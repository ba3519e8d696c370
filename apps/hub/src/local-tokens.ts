import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureOwner, issueLocalToken } from './identity/first-start.ts'
import type { Hub } from './hub.ts'

/**
 * Leaves the owner's token and the local worker's in the data directory, readable by that user alone, so that
 * commands on this machine need no sign-in. A file whose token no longer counts is replaced.
 */
export async function leaveLocalTokens(hub: Hub, isValid: (secret: string) => Promise<boolean>, dir: string) {
  const owner = await ensureOwner(hub.db)
  const workerId = await hub.agents.ensureWorker(owner.workspaceId, 'local')
  await mkdir(dir, { recursive: true })
  const tokens = [
    { file: 'owner.token', name: 'local commands', personId: owner.personId, workerId: null },
    { file: 'worker.token', name: 'local', personId: null, workerId },
  ]
  for (const { file, ...token } of tokens) {
    const path = join(dir, file)
    const present = await readFile(path, 'utf8').catch(() => '')
    if (present !== '' && (await isValid(present.trim()))) continue
    const secret = await issueLocalToken(hub.db, { workspaceId: owner.workspaceId, ...token })
    // Written aside and renamed: a reader sees a whole token or none.
    await writeFile(`${path}.new`, `${secret}\n`, { mode: 0o600 })
    await chmod(`${path}.new`, 0o600)
    await rename(`${path}.new`, path)
  }
}
