/** Whoever removes a file looks for this first. */
export const marker = '# Written by "muster worker install"; "muster worker uninstall" removes it.'

export type UnitSpec = {
  name: string
  hub: string
  node: string
  checkout: string
  /** Of a system unit; null: root. */
  user: string | null
  /** Home of that user, for the keys of ssh. */
  home: string
  /** A unit of the calling user's own systemd. */
  userUnit: boolean
  dataDir: string
  environmentFile: string
  tokenFile: string
  /** Repositories on this machine that runs are published to. */
  writable: readonly string[]
}

// The numbers of SIDE-05: 50 starts, 2 s apart; a life of 5 s is a good one. So many fit into this time only if none is.
const restarts = 50
const restartSeconds = 2
const minUptimeSeconds = 5

/** A systemd unit of a worker, hardened as far as the walls allow. Pure text: the same specification, the same unit. */
export function unitText(spec: UnitSpec): string {
  return `${marker}
[Unit]
Description=Muster worker for ${spec.hub.replaceAll('%', '%%')}
${spec.userUnit ? '' : 'Wants=network-online.target\nAfter=network-online.target\n'}# A worker that lives for ${minUptimeSeconds} s had a good start; ${restarts} bad ones in a row are given up.
StartLimitIntervalSec=${restarts * (restartSeconds + minUptimeSeconds)}
StartLimitBurst=${restarts}

[Service]
# The worker says READY=1 when its hub has welcomed it, through systemd-notify, which is a child: hence NotifyAccess=all.
# The socket is in no wall, so no run can speak for the worker. A hub that is away is no reason to give a start up.
Type=notify
NotifyAccess=all
TimeoutStartSec=infinity
WatchdogSec=120
ExecStart=${word(spec.node)} ${word(`${spec.checkout}/apps/worker/src/main.ts`)}
EnvironmentFile=${path(spec.environmentFile)}
${credential(spec)}
Restart=always
RestartSec=${restartSeconds}
# 75: it restarts itself. 4: the hub refuses its token, and would the next time.
SuccessExitStatus=75
RestartPreventExitStatus=4
# First the worker alone, which ends its walls and tells the hub; then whatever is left.
KillMode=mixed
TimeoutStopSec=30

# Walls are processes of this unit: limits hold for the worker and all its runs together. A run that the kernel ends for
# its memory must not take the worker with it. Delegate lets each run have limits of its own.
MemoryMax=80%
TasksMax=8192
OOMPolicy=continue
Delegate=cpu memory pids

${hardening(spec)}
[Install]
WantedBy=${spec.userUnit ? 'default.target' : 'multi-user.target'}
`
}

function credential({ userUnit, tokenFile }: UnitSpec): string {
  // A credential is a copy that only this service can read, also when it does not run as root.
  return userUnit
    ? `Environment=${word(`MUSTER_TOKEN_FILE=${tokenFile}`)}`
    : `LoadCredential=token:${path(tokenFile)}\nEnvironment=MUSTER_TOKEN_FILE=%d/token`
}

function hardening(spec: UnitSpec): string {
  const seccomp = `# Sockets of the network and, for the loopback inside a wall, of netlink.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
LockPersonality=yes
NoNewPrivileges=yes
`
  const leftOut = `#
# Left out, because bubblewrap makes each wall out of namespaces and mounts:
#   RestrictNamespaces, PrivateUsers, SystemCallFilter   it could not make any
#   ProtectKernelTunables, ProtectKernelLogs, ProcSubset, ProtectProc   they cover parts of /proc, and the kernel then
#                            refuses a wall its own /proc
#   ProtectControlGroups     a run's limits are a cgroup below this unit's
#   ProtectHostname          a wall has a host name of its own
#   MemoryDenyWriteExecute   Node.js compiles at run time
#   RestrictSUIDSGID, SystemCallArchitectures   programs in a wall would behave otherwise than under "worker join";
#                            NoNewPrivileges makes such bits worthless
#   UMask                    users of walls must be able to pass through to their workspace
`
  if (spec.userUnit) {
    return `${seccomp}${leftOut}#   ProtectSystem, ProtectHome, PrivateTmp   a user's systemd makes them with PrivateUsers, see above
`
  }
  const binds = [`-${spec.home}/.ssh`, ...[spec.node, spec.checkout].filter(isHidden)]
  return `${seccomp}ProtectSystem=strict
PrivateTmp=yes
# Homes are empty for it, but for keys of ssh${binds.length > 1 ? ' and for Muster itself' : ''}.
ProtectHome=tmpfs
BindReadOnlyPaths=${binds.map(path).join(' ')}
${spec.user === null ? '' : `User=${spec.user}\nCapabilityBoundingSet=\n`}StateDirectory=${spec.name}
StateDirectoryMode=0711
${spec.user === null ? `# Where the workers of one machine agree on the users of their walls; the others' locks must outlive this unit.\nRuntimeDirectory=muster\nRuntimeDirectoryPreserve=yes\n` : ''}ReadWritePaths=${[spec.dataDir, ...spec.writable].map(path).join(' ')}
${leftOut}`
}

/** What ProtectHome and PrivateTmp would hide from the worker, although it is made of it. */
function isHidden(at: string): boolean {
  return /^\/(home|root|run\/user|tmp|var\/tmp)\//.test(at)
}

/** One word of a command line or an assignment: quotes and backslashes are systemd's, % and $ would be replaced. */
function word(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function path(text: string): string {
  const escaped = text.replaceAll('%', '%%')
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** The settings of the worker, as systemd reads an EnvironmentFile: no specifiers, and quotes keep what is between. */
export function environmentText(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name}="${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`,
  )
  return `${marker}\n${lines.join('\n')}\n`
}
