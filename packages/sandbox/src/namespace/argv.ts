import type { WallLimits } from '../sandbox.ts'

/**
 * Descriptors beside stdin, stdout and stderr. Bubblewrap closes the first three before the command starts; the gate
 * is read and closed by the shell that becomes the command.
 */
export const fds = { filter: 3, args: 4, status: 5, gate: 6 }

export const wallHome = '/home/agent'
export const wallWorkspace = '/workspace'

/** What the host looks like, found once. Kept apart so that the command line is a pure function of it. */
export type HostLayout = {
  programs: { bwrap: string; setpriv: string; prlimit: string; mkfifo: string }
  /** `/bin`, `/lib`…: a link on merged-usr systems, a directory elsewhere. */
  roots: { path: string; link: string | undefined }[]
  /** Our own passwd, group, hosts and nsswitch.conf. */
  etc: string
  /** Extra read-only directories and what of them goes on PATH. */
  tools: { dir: string; path: string }[]
  /** Without CAP_SYS_RESOURCE a limit above the inherited hard limit is an error. */
  hardOpenFiles: number
  /** Memory of the machine. */
  hostMemoryBytes: number
}

export type Launch = {
  layout: HostLayout
  /** Told to bubblewrap in the open: how leftovers are recognised where there are no cgroups. */
  execName: string
  /** The unprivileged host user to become; absent when we are one already. */
  uid: number | undefined
  limits: WallLimits
  /** `cgroup.procs` files the first process writes itself into, before it gives up root. */
  join: string[]
  /** True when cgroups hold memory and processes; else rlimits have to do what they can. */
  cgroups: boolean
  workspace: string
  readOnly: { host: string; inside: string }[]
  cwd: string
  env: Record<string, string>
  command: string[]
}

/** The command line on the host. Environment values and host paths are not in it: every user can read it. */
export function launchArgv(launch: Launch): string[] {
  const { layout, uid } = launch
  const { bwrap, setpriv } = layout.programs
  return [
    ...['/bin/sh', '-c', limitThenJoin(launch), 'sh', ...launch.join, '--'],
    setpriv,
    // Until bubblewrap says the same for itself.
    '--pdeathsig=KILL',
    ...(uid === undefined
      ? ['--no-new-privs', '--inh-caps=-all']
      : [
          `--reuid=${uid}`,
          `--regid=${uid}`,
          '--clear-groups',
          '--no-new-privs',
          '--inh-caps=-all',
          '--bounding-set=-all',
        ]),
    bwrap,
    '--setenv',
    'MUSTER_WALL',
    launch.execName,
    '--args',
    String(fds.args),
    ...insideArgv(launch),
  ]
}

/**
 * What one process may ask for where no cgroup holds the limit. More than the limit, because a command that is refused
 * memory cannot be told from one that failed: the watch, which sees what is really used, comes first. Less than the
 * machine has, because between two looks of the watch this is all that stands.
 */
function dataBytes(limits: WallLimits, hostMemoryBytes: number): number {
  return Math.max(2 * limits.memoryBytes, 0.75 * hostMemoryBytes)
}

/**
 * Limits of the shell and not of prlimit, which is one more program to start for each command. A limit that cannot be set
 * ends it here. The shell becomes the launcher (exec all along), so the process the worker spawned is the bubblewrap
 * that dies with it.
 */
function limitThenJoin({ layout, limits, cgroups }: Launch): string {
  const set = [
    `ulimit -n ${Math.min(limits.openFiles, layout.hardOpenFiles)}`,
    'ulimit -c 0',
    // POSIX counts files in blocks of 512 bytes; the probe sees whether this shell does.
    `ulimit -f ${Math.ceil(limits.fileBytes / 512)}`,
    // Not -v: V8, Go and the JVM reserve address space by the gigabyte that they never touch.
    ...(cgroups ? [] : [`ulimit -d ${Math.ceil(dataBytes(limits, layout.hostMemoryBytes) / 1024)}`]),
  ]
  const join = 'while [ "$1" != -- ]; do echo 0 > "$1"; shift; done; shift; exec "$@"'
  return ['set -e', ...set, join].join('; ')
}

/**
 * What the owner says through the gate once the wall stands there. Silence (it is dead) ends the wall before the command
 * began. The wall speaks first: pid 1 inside ties its life to its parent only just before it starts this script, and an
 * owner that died earlier, with its word already given, would leave a command that nothing ends.
 */
export const go = 'go\n'

const passGate = `echo here >&${fds.gate}; read -r said <&${fds.gate} && [ "$said" = go ] || exit 125; exec ${fds.gate}<&-; unset said; exec "$@"`

/**
 * What bubblewrap starts. It dies with its parent only from the moment it has said so: an owner that is killed while
 * the wall is being built would leave it running, so the command waits until the owner has seen the wall. The shell
 * turns "no such program" into 127 instead of a failure of the wall. The process limit is set only here where it must
 * be an rlimit: on the host it would count all of the user's other processes.
 */
function insideArgv({ layout, limits, cgroups, command }: Launch): string[] {
  const limit = cgroups ? [] : [layout.programs.prlimit, `--nproc=${limits.processes}:${limits.processes}`]
  return [...limit, '/bin/sh', '-c', passGate, 'sh', ...command]
}

/** The options bubblewrap reads, NUL-separated, from `fds.args`. Order matters: later mounts cover earlier ones. */
export function bwrapOptions(launch: Launch): string[] {
  const { layout, limits } = launch
  const tmpBytes = String(limits.tmpBytes)
  return [
    // First what closes, then what opens: if we die while this is written, what bubblewrap read is a wall with less in it.
    ['--seccomp', String(fds.filter), '--json-status-fd', String(fds.status)],
    // --unshare-all would use --unshare-user-try, which --disable-userns does not accept and we would not want.
    [
      '--unshare-user',
      '--unshare-ipc',
      '--unshare-pid',
      '--unshare-net',
      '--unshare-uts',
      '--unshare-cgroup',
    ],
    ['--disable-userns', '--die-with-parent', '--new-session', '--hostname', 'sandbox'],
    ['--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL'],
    // No --clearenv here: bubblewrap itself starts with an empty environment, which is what its pid 1 would leak.
    Object.entries(wallEnv(launch)).flatMap(([name, value]) => ['--setenv', name, value]),
    systemMounts(layout),
    // bubblewrap's own tmpfs for /dev and / are half of the machine's memory: one is sized, the others made read-only.
    ['--proc', '/proc', '--dev', '/dev', '--size', tmpBytes, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ['--size', tmpBytes, '--perms', '1777', '--tmpfs', '/tmp'],
    ['--size', tmpBytes, '--perms', '0700', '--tmpfs', wallHome],
    ['--dir', '/run', '--dir', '/var', '--symlink', '../tmp', '/var/tmp'],
    layout.tools.flatMap(({ dir }) => ['--ro-bind', dir, dir]),
    launch.readOnly.flatMap(({ host, inside }) => ['--ro-bind', host, inside]),
    ['--bind', launch.workspace, wallWorkspace, '--chdir', launch.cwd],
    // /proc/sys checks the host's uid, not capabilities; we never are uid 0 there, and this is the second lock.
    ['--remount-ro', '/proc', '--remount-ro', '/'],
  ].flat()
}

const etcOfHost = ['alternatives', 'ld.so.cache', 'ssl/certs', 'pki/tls/certs', 'localtime']
const etcOfOurs = ['passwd', 'group', 'hosts', 'nsswitch.conf']

function systemMounts({ roots, etc }: HostLayout): string[] {
  return [
    ['--ro-bind', '/usr', '/usr'],
    roots.flatMap(({ path, link }) =>
      link === undefined ? ['--ro-bind', path, path] : ['--symlink', link, path],
    ),
    etcOfHost.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    etcOfOurs.flatMap((name) => ['--ro-bind', `${etc}/${name}`, `/etc/${name}`]),
  ].flat()
}

function wallEnv({ layout, env }: Launch): Record<string, string> {
  return {
    PATH: [...layout.tools.map(({ path }) => path), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: wallHome,
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    ...env,
  }
}
