import { existsSync, readFileSync } from 'node:fs'

/** What the kernel and the host say about user namespaces. */
export type HostFacts = {
  apparmorRestricts: boolean
  unprivilegedClone: boolean
  maxUserNamespaces: number
  inContainer: boolean
}

export function readHostFacts(): HostFacts {
  const read = (path: string): string | undefined =>
    existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
  return {
    apparmorRestricts: read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1',
    unprivilegedClone: read('/proc/sys/kernel/unprivileged_userns_clone') !== '0',
    maxUserNamespaces: Number(read('/proc/sys/user/max_user_namespaces') ?? '0'),
    inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
  }
}

const apparmorProfile = [
  'abi <abi/4.0>,',
  'include <tunables/global>',
  'profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, include if exists <local/bwrap> }',
].join('\n')

/** The remedy for a bubblewrap that was found and could not start a wall; undefined when its own words must do. */
export function remedy(said: string, facts: HostFacts): string | undefined {
  if (!/namespace|uid map|gid map|permission|not permitted/i.test(said)) return undefined
  if (facts.apparmorRestricts) {
    return (
      'AppArmor keeps user namespaces from unprivileged programs (kernel.apparmor_restrict_unprivileged_userns = 1). ' +
      `Allow bubblewrap alone: write this to /etc/apparmor.d/bwrap and run "apparmor_parser -r /etc/apparmor.d/bwrap":\n` +
      `${apparmorProfile}\n` +
      'Or, for every program: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0.'
    )
  }
  if (!facts.unprivilegedClone) return 'Run "sysctl -w kernel.unprivileged_userns_clone=1".'
  if (facts.maxUserNamespaces === 0) return 'Run "sysctl -w user.max_user_namespaces=15000".'
  if (facts.inContainer) {
    return (
      'This worker runs in a container whose seccomp profile or capabilities forbid user namespaces. Start it with ' +
      '--security-opt seccomp=unconfined --security-opt systempaths=unconfined, or run the worker on the host.'
    )
  }
  return undefined
}

const installers: [tool: string, command: string][] = [
  ['apt-get', 'apt-get install'],
  ['dnf', 'dnf install'],
  ['apk', 'apk add'],
  ['pacman', 'pacman -S'],
  ['zypper', 'zypper install'],
]

export function packageRemedy(packageName: string, has: (tool: string) => boolean): string {
  const here = installers.filter(([tool]) => has(tool))
  const commands = (here.length > 0 ? here : installers).map(([, command]) => `${command} ${packageName}`)
  return `Install it: ${commands.join(', or ')}.`
}
