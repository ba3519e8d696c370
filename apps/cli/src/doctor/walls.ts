import type { Config } from '../config.ts'
import { installCommand, onPath } from '../up/programs.ts'
import { type Check, fail, ok, skip, type Verdict } from './finding.ts'
import { runProgram } from './run-program.ts'

export function wallChecks(config: Config): Check[] {
  return [
    { id: 'bubblewrap', title: 'bubblewrap', look: async () => bubblewrap(config) },
    { id: 'namespaces', title: 'User namespaces', look: async () => namespaces(config) },
  ]
}

async function bubblewrap(config: Config): Promise<Verdict> {
  const { code, output } = await runProgram('bwrap', ['--version'], config.inherited)
  if (code === 0) return ok(output.replace('bubblewrap ', ''))
  return fail(
    'not found; no task can run without a wall',
    await installCommand('bubblewrap', config.inherited['PATH']),
  )
}

// Any number that is nobody's: as root the walls run as unprivileged users, so the probe has to as well.
const probeUid = '64999'

/** Really starts a wall: settings that forbid namespaces are many and differ by distribution. */
async function namespaces(config: Config): Promise<Verdict> {
  const path = config.inherited['PATH']
  const bwrap = await onPath('bwrap', path)
  if (bwrap === undefined) return skip('needs bubblewrap')
  const setpriv = await onPath('setpriv', path)
  const root = process.getuid?.() === 0
  if (root && setpriv === undefined) return skip('needs setpriv to try it without the rights of root')
  const wall = [
    bwrap,
    '--unshare-all',
    '--die-with-parent',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    'true',
  ]
  const dropped = [setpriv ?? '', `--reuid=${probeUid}`, `--regid=${probeUid}`, '--clear-groups', '--']
  const [program = '', ...args] = root ? [...dropped, ...wall] : wall
  const { code, output } = await runProgram(program, args, {
    ...config.inherited,
    PATH: `${path ?? ''}:/usr/bin:/bin`,
  })
  if (code === 0) return ok(root ? `a wall starts as uid ${probeUid}` : 'a wall starts')
  return fail(`bubblewrap failed: ${output.split('\n').at(-1) ?? `exit code ${code}`}`, fixFor(output))
}

function fixFor(output: string): string {
  if (/uid map|No permissions to creat/i.test(output)) {
    return 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 kernel.unprivileged_userns_clone=1'
  }
  if (/namespace|EPERM|not permitted/i.test(output)) {
    return 'In a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined (or give Muster a machine of its own).'
  }
  return 'Try it by hand: bwrap --unshare-all --ro-bind / / true'
}
