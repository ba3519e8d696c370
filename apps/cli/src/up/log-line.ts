import { hostname } from 'node:os'

/** What a supervisor says in the log of a part: one line of JSON with the keys that the parts' own lines have. */
export function logLine(msg: string): string {
  const line = {
    level: 40,
    time: Date.now(),
    pid: process.pid,
    hostname: hostname(),
    name: 'supervisor',
    msg,
  }
  return `${JSON.stringify(line)}\n`
}
