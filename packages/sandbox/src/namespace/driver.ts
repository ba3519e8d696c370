import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import {
  asSandboxError,
  SandboxError,
  type DriverCaps,
  type Sandbox,
  type SandboxDriver,
  type WallSpec,
} from '../sandbox.ts'
import type { HostLayout } from './argv.ts'
import { cgroupDirs, createCgroup, removeCgroups } from './cgroup.ts'
import { findCgroupHome, type CgroupHome } from './cgroup-home.ts'
import { createDiskMeter } from './disk-usage.ts'
import { readLayout, refuseClosedMounts, systemDirs } from './host.ts'
import { thisProcess } from './owner.ts'
import { createPipes, type Pipes } from './pipes.ts'
import { createProcessList, type ProcessRow } from './processes.ts'
import { probeWall } from './probe.ts'
import { reapOrphans } from './reap.ts'
import { claimUid, firstUid, releaseUid, removeRecord, uidCount, writeRecord } from './records.ts'
import { writeStateFiles, type StateFiles } from './state-files.ts'
import { createWall } from './wall.ts'
import { refuseUnreachable, takeWorkspace } from './workspace.ts'

export type NamespaceOptions = {
  /** Locks, records and the files every wall shares. Every ancestor must let other users pass when we are root. */
  stateDir: string
  /** Extra host directories, read-only inside at the same path; their `bin`, or they themselves, go on PATH. */
  tools?: string[]
  /** Between SIGTERM and SIGKILL. */
  graceMs?: number
  /** `none` does as if this machine had no cgroups for us. */
  cgroups?: 'found' | 'none'
  /** Where bubblewrap, setpriv and prlimit are looked for. */
  programDirs?: string[]
}

type Ready = { files: StateFiles; layout: HostLayout; pipes: Pipes; processes: () => ProcessRow[] }

/** Walls of bubblewrap on Linux. Every wall is started by an unprivileged user, ours or one it gets for its life. */
export function createNamespaceDriver(options: NamespaceOptions): SandboxDriver {
  const home = options.cgroups === 'none' ? undefined : findCgroupHome()
  const caps: DriverCaps = {
    snapshot: false,
    clone: false,
    ownKernel: false,
    limits: home === undefined ? ['pids', 'memory', 'disk'] : ['pids', 'memory', 'cpu', 'disk'],
    net: ['none'],
  }

  const makeReady = async (): Promise<Ready> => {
    const files = await writeStateFiles(options.stateDir)
    const layout = await readLayout({
      programDirs: options.programDirs ?? systemDirs,
      tools: options.tools ?? [],
      etc: files.etc,
    })
    return { files, layout, pipes: createPipes(layout.programs.mkfifo), processes: createProcessList() }
  }

  let ready: Promise<Ready> | undefined
  // A machine that was not ready is looked at again: somebody may have followed the hint.
  const getReady = (): Promise<Ready> => {
    ready ??= makeReady().catch((error: unknown) => {
      ready = undefined
      throw error
    })
    return ready
  }

  const create = async (spec: WallSpec): Promise<Sandbox> => {
    refuseBadSpec(spec)
    const { stateDir, graceMs = 5_000 } = options
    try {
      return await takeAll(spec, { ...(await getReady()), home, stateDir, graceMs })
    } catch (error) {
      throw asSandboxError(error, 'the wall could not be made')
    }
  }

  return {
    kind: 'namespace',
    caps,
    create,
    probe: () => probeWall(create, options.stateDir),
    async adopt() {
      return reapOrphans(await writeStateFiles(options.stateDir))
    },
  }
}

type Taking = Ready & { home: CgroupHome | undefined; stateDir: string; graceMs: number }

/** Takes one thing after the other and gives all back in the opposite order: at the end, or when one is refused. */
async function takeAll(spec: WallSpec, taking: Taking): Promise<Sandbox> {
  const { files, layout, pipes, processes, home, stateDir, graceMs } = taking
  // Never used twice, unlike the id: what is called so can only be this wall's.
  const wallName = `muster-${spec.id}-${randomBytes(4).toString('hex')}`
  const cgroups = home === undefined ? [] : cgroupDirs(home, wallName)
  const taken: (() => Promise<void>)[] = []
  const release = async (): Promise<void> => {
    for (const give of taken.splice(0).toReversed()) await give()
  }
  if (!(await writeRecord(files.walls, { id: spec.id, wallName, owner: thisProcess(), cgroups }))) {
    throw new SandboxError(
      'sandbox_id_taken',
      `there is a wall ${spec.id}`,
      'If its owner died, call adopt() first.',
    )
  }
  taken.push(() => removeRecord(files.walls, spec.id))
  try {
    const uid = await takeUid(files.uids, wallName)
    if (uid !== undefined) taken.push(() => releaseUid(files.uids, uid))
    const readOnly = spec.readOnly ?? []
    await refuseClosedMounts([files.etc, ...layout.tools.map(({ dir }) => dir)], uid)
    for (const { host } of readOnly) await refuseUnreachable(host, uid)
    const workspace = await takeWorkspace(spec.workspace, uid, stateDir)
    taken.push(() => removeCgroups(cgroups))
    const cgroup = home && (await createCgroup(home, wallName, spec.limits))
    const disk = await createDiskMeter(workspace.path, spec.limits.workspaceBytes, workspace.bytes)
    const parts = { spec, wallName, workspace: workspace.path, layout, files, pipes, processes }
    return createWall({ ...parts, uid, cgroup, disk, graceMs, release })
  } catch (error) {
    await release()
    throw error
  }
}

/** As root a user that has nothing else; otherwise we are unprivileged already. */
async function takeUid(uids: string, wallName: string): Promise<number | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const uid = await claimUid(uids, wallName)
  if (uid !== undefined) return uid
  throw new SandboxError(
    'sandbox_unavailable',
    `all host users from ${firstUid} to ${firstUid + uidCount - 1} are taken`,
  )
}

function refuseBadSpec(spec: WallSpec): void {
  const refuse = (message: string): never => {
    throw new SandboxError('sandbox_bad_request', message)
  }
  if (!/^[a-z0-9-]{1,64}$/.test(spec.id)) refuse(`"${spec.id}" is no wall id: 1 to 64 of a-z, 0-9 and -`)
  for (const [name, value] of Object.entries(spec.limits)) {
    if (!(value > 0 && (Number.isInteger(value) || name === 'cpus')))
      refuse(`the limit ${name} cannot be ${value}`)
  }
  for (const { inside } of spec.readOnly ?? []) {
    const path = posix.resolve('/', inside)
    // bubblewrap would create the mount point, and in the workspace that is a file in the user's checkout.
    if (path !== inside || /^\/(workspace|proc|dev|etc|usr)?(\/|$)/.test(path)) {
      refuse(
        `"${inside}" cannot be a mount point: use a plain absolute path outside the system and the workspace`,
      )
    }
  }
}
