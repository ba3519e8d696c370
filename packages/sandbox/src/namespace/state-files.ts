import { randomUUID } from 'node:crypto'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SandboxError } from '../sandbox.ts'
import { encodeFilter, wallFilter } from './seccomp.ts'

/** What every wall of a state directory shares: the filter, and the few files of /etc that programs look a user up in. */
export type StateFiles = { filter: string; etc: string; walls: string; uids: string }

const etcFiles: Record<string, string> = {
  passwd: [
    'root:x:0:0:root:/root:/usr/sbin/nologin',
    'agent:x:1000:1000:agent:/home/agent:/bin/sh',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    '',
  ].join('\n'),
  group: 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  // Only files: the host's may name services (systemd, sss, ldap) that are not inside.
  'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
}

/**
 * As root every wall of the machine must have a user of its own, whoever started it: the reaper ends all processes of
 * a dead wall's user. So the locks are in one place, which is empty after a reboot. An ordinary user takes none.
 */
export function uidLocksOf(stateDir: string): string {
  return process.getuid?.() === 0 ? '/run/muster/uids' : join(stateDir, 'uids')
}

export async function writeStateFiles(stateDir: string): Promise<StateFiles> {
  const { arch } = process
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new SandboxError('sandbox_unavailable', `no system call filter is written for ${arch}`)
  }
  const etc = join(stateDir, 'etc')
  const walls = join(stateDir, 'walls')
  const uidLocks = uidLocksOf(stateDir)
  await mkdir(etc, { recursive: true })
  // The wall's user passes through both on its way to the files; a tight umask must not close them.
  await chmod(stateDir, 0o711)
  await chmod(etc, 0o755)
  await mkdir(walls, { recursive: true, mode: 0o700 })
  await mkdir(uidLocks, { recursive: true, mode: 0o700 })
  for (const [name, text] of Object.entries(etcFiles)) await writeWhole(join(etc, name), text)
  const filter = join(stateDir, `filter-${arch}.bpf`)
  await writeWhole(filter, encodeFilter(wallFilter(arch)))
  return { filter, etc, walls, uids: uidLocks }
}

/** Another worker with this state directory may be starting a wall: it sees the old file or the new, never half. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const next = `${path}.${randomUUID()}`
  await writeFile(next, content, { mode: 0o644 })
  await chmod(next, 0o644)
  await rename(next, path)
}
