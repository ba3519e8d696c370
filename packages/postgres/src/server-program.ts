import { spawn } from 'node:child_process'
import type { ServerUser } from './server-user.ts'

/**
 * The environment of initdb and postgres holds nothing of the caller's: PGDATA, PGPORT, LD_LIBRARY_PATH or a locale that
 * the machine does not have must not change what they do.
 */
export const serverEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }

export function runAs(user: ServerUser) {
  return { uid: user.uid, gid: user.gid, cwd: '/', env: serverEnvironment }
}

/** Runs a program to its end and answers its exit code with everything it wrote. */
export function runToEnd(
  program: string,
  args: string[],
  user: ServerUser,
  timeoutMs: number,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...runAs(user),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }))
  })
}
