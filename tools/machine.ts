import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** A program that tests need, where it comes from on Debian, and what cannot be tested without it. */
type Need = { package: string; found: () => boolean; without: string }

const onPath = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

const needs: Need[] = [
  { package: 'git', found: () => onPath('git'), without: 'everything that touches a repository' },
  { package: 'bubblewrap', found: () => onPath('bwrap'), without: 'walls and every scenario' },
  { package: 'chromium', found: () => existsSync('/usr/bin/chromium'), without: 'the page in a browser' },
  {
    package: 'postgresql',
    found: () => existsSync('/usr/lib/postgresql'),
    without: 'the same tests on the distribution’s PostgreSQL',
  },
]

/**
 * Installs what is missing with apt-get when we may, and says so; answers what is still missing. Debian starts a
 * database after installing one: told not to, because the tests bring their own.
 */
export function prepareMachine(): Need[] {
  const missing = needs.filter((need) => !need.found())
  if (missing.length === 0) return []
  const names = missing.map((need) => need.package)
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return missing
  process.stdout.write(`Installing ${names.join(', ')} with apt-get for the tests …\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const run = (args: string[]) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 }).status === 0
  if (!run(['update', '-qq']) || !run(['install', '-y', '-qq', '--no-install-recommends', ...names])) {
    process.stdout.write('apt-get did not succeed; going on without.\n')
  }
  return needs.filter((need) => !need.found())
}
