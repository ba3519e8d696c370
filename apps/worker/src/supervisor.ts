import type { Supervisor } from '@muster/contract/workers'
import { fstatSync, readFileSync } from 'node:fs'

/** What a process can see of who started it. */
export type Clues = {
  env: Readonly<Record<string, string | undefined>>
  pid: number
  /** Text of /proc/self/cgroup; empty where there is none. */
  cgroup: string
  /** Device and inode of stderr, as systemd writes them into JOURNAL_STREAM. */
  stderr: string
}

export function readClues(env: Clues['env']): Clues {
  return { env, pid: process.pid, cgroup: textOf('/proc/self/cgroup'), stderr: stderrOf() }
}

/**
 * Who starts this worker again when it ends. Our own mark is asked first: `join` under systemd is started by systemd,
 * but this process by `join`. The environment of a service is inherited by everything below it, a shell in a terminal
 * too, so a mark of systemd counts only together with a sign that it means this very process. When in doubt nobody
 * does: a worker that ends for a restart and stays away is worse than one that refuses to restart.
 */
export function detectSupervisor({
  env,
  pid,
  cgroup,
  stderr,
}: Clues): Pick<Supervisor, 'kind' | 'name' | 'restarts'> {
  const own = env['MUSTER_SUPERVISOR']
  if (own === 'up' || own === 'join') return { kind: own, ...restartsOf(env['MUSTER_RESTARTS']) }
  if (env['pm_id'] !== undefined && env['PM2_HOME'] !== undefined) {
    return { kind: 'pm2', ...nameOf(env['name']), ...restartsOf(env['restart_time']) }
  }
  const isMine =
    env['SYSTEMD_EXEC_PID'] === String(pid) ||
    (env['JOURNAL_STREAM'] !== undefined && env['JOURNAL_STREAM'] === stderr) ||
    env['NOTIFY_SOCKET'] !== undefined
  if (env['INVOCATION_ID'] === undefined || !isMine) return { kind: 'none' }
  return { kind: 'systemd', ...nameOf(/\/([^/\n]+\.service)(?:\/|\n|$)/.exec(cgroup)?.[1]) }
}

/** With what changes while it runs. */
export function reportOf(found: ReturnType<typeof detectSupervisor>): Supervisor {
  const uptimeMs = Math.round(process.uptime() * 1_000)
  return {
    ...found,
    startedAt: new Date(Date.now() - uptimeMs).toISOString(),
    uptimeMs,
    memoryBytes: process.memoryUsage.rss(),
  }
}

function nameOf(name: string | undefined): { name?: string } {
  return name === undefined || name === '' ? {} : { name: name.slice(0, 256) }
}

function restartsOf(text: string | undefined): { restarts?: number } {
  return text !== undefined && /^\d{1,9}$/.test(text) ? { restarts: Number(text) } : {}
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function stderrOf(): string {
  try {
    const { dev, ino } = fstatSync(2)
    return `${dev}:${ino}`
  } catch {
    return ''
  }
}
