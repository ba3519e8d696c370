import { spawn } from 'node:child_process'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ifPresent } from './missing-file.ts'
import type { PostmasterFile } from './postmaster-file.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'
import { runAs } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

/**
 * A shell that outlives us by design. Its input is a pipe that only we hold: a line means that the server stopped in
 * order, end of file means that we died, even by kill -9, and then it stops the server, fast, after 20 s at once.
 * A pid may by then be somebody else's, so before each signal it checks that postmaster.pid still names the same start.
 */
const script = `
same() {
  { read -r pid && read -r data && read -r start; } 2>/dev/null <"$1" || return 1
  [ "$pid $start" = "$2 $3" ] && kill -0 "$2" 2>/dev/null
}
read -r line && exit 0
same "$@" || exit 0
kill -INT "$2"
tries=0
while same "$@"; do
  tries=$((tries + 1))
  [ $tries -eq 100 ] && kill -QUIT "$2"
  [ $tries -ge 150 ] && exit 1
  sleep 0.2 || exit 1
done
`

// 100 tries of 0.2 s until SIGQUIT, 50 more for that, and some for a loaded machine.
const guardLifeAfterOwnerMs = 40_000

export interface Guard {
  pid: number | undefined
  /** The server is gone: the guard has nothing left to do. */
  dismiss(): Promise<void>
}

export async function startGuard(
  dir: string,
  server: PostmasterFile,
  user: ServerUser,
  log: (line: string) => void,
): Promise<Guard> {
  const file = join(dir, 'data', 'postmaster.pid')
  const child = spawn(
    '/bin/sh',
    ['-c', script, 'muster-postgres-guard', file, String(server.pid), server.startedAt],
    {
      ...runAs(user),
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  )
  let dismissed = false
  child.once('error', (error) => log(`the database's guard did not start: ${error.message}`))
  child.once('exit', () => {
    if (!dismissed)
      log('the database guard ended early; if this process dies now, its database keeps running')
  })
  child.stdin.on('error', () => {})
  child.unref()
  const identity = child.pid === undefined ? undefined : await identify(child.pid)
  if (identity !== undefined) await recordGuard(dir, identity)
  return {
    pid: child.pid,
    async dismiss() {
      if (dismissed) return
      dismissed = true
      child.stdin.end('stopped\n')
      await rm(guardFile(dir), { force: true })
    },
  }
}

/**
 * Called by the next owner. A guard that still lives while its owner is dead is stopping the server: adopting that server
 * would mean to lose it within the second, so wait. A guard that does not end is ended, and the server can be adopted.
 */
export async function outwaitOldGuard(dir: string): Promise<void> {
  const text = await ifPresent(readFile(guardFile(dir), 'utf8'))
  if (!text) return
  const guard = JSON.parse(text) as ProcessIdentity
  const deadline = Date.now() + guardLifeAfterOwnerMs
  while (await isAlive(guard)) {
    if (Date.now() > deadline) {
      process.kill(guard.pid, 'SIGKILL')
      break
    }
    await sleep(50)
  }
  await rm(guardFile(dir), { force: true })
}

function guardFile(dir: string): string {
  return join(dir, 'guard')
}

async function recordGuard(dir: string, identity: ProcessIdentity): Promise<void> {
  const draft = `${guardFile(dir)}.draft`
  await writeFile(draft, JSON.stringify(identity), { mode: 0o600 })
  await rename(draft, guardFile(dir))
}
