import { existsSync } from 'node:fs'
import { runProgram } from '../doctor/run-program.ts'
import { exits } from '../exit-code.ts'
import { Failure } from '../failure.ts'

/** As sd_booted(3): the directory is there exactly while systemd is what started this machine. */
export function requireSystemd(): void {
  if (hasSystemd()) return
  throw new Failure(
    'no_systemd',
    'systemd does not run this machine.',
    'Use "npx muster worker join", or look at the unit with --print and install it elsewhere.',
    exits.unavailable,
  )
}

export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system')
}

/** Runs systemctl for the system or for the calling user; throws with its own words. */
export async function systemctl(
  words: string[],
  { userUnit, env }: { userUnit: boolean; env: Readonly<Record<string, string>> },
): Promise<void> {
  const all = [...(userUnit ? ['--user'] : []), ...words]
  const { code, output } = await runProgram('systemctl', all, env)
  if (code === 0) return
  const said = output === '' ? 'it did not answer' : output
  throw new Failure('start_failed', `systemctl ${all.join(' ')}: ${said}`, 'Run it by hand to see more.', 1)
}
