import { join, posix } from 'node:path'
import {
  asSandboxError,
  SandboxError,
  type ExecOptions,
  type ExecResult,
  type Sandbox,
  type WallSpec,
} from '../sandbox.ts'
import { wallWorkspace, type HostLayout, type Launch } from './argv.ts'
import type { WallCgroup } from './cgroup.ts'
import type { DiskMeter } from './disk-usage.ts'
import { execInWall } from './exec.ts'
import type { Pipes } from './pipes.ts'
import type { StateFiles } from './state-files.ts'

export type WallParts = {
  spec: WallSpec
  wallName: string
  workspace: string
  layout: HostLayout
  files: StateFiles
  pipes: Pipes
  uid: number | undefined
  cgroup: WallCgroup | undefined
  disk: DiskMeter
  graceMs: number
  /** Gives back what create took, when no command is left. */
  release: () => Promise<void>
}

/** One bubblewrap per command on one workspace: a daemon cannot outlive the command that started it. */
export function createWall(parts: WallParts): Sandbox {
  const { spec, cgroup } = parts
  const gone = new AbortController()
  const running = new Set<Promise<unknown>>()
  let count = 0
  let processesPeak = 0
  let destroyed: Promise<void> | undefined

  const exec = async (argv: string[], options: ExecOptions): Promise<ExecResult> => {
    count += 1
    const name = `x${count}`
    const launch = launchOf(parts, name, argv, options)
    const group = await cgroup?.enter(name)
    try {
      return await execInWall({
        launch: { ...launch, join: group?.procsFiles ?? [] },
        filter: parts.files.filter,
        pipes: parts.pipes,
        pipePrefix: join(parts.files.walls, launch.execName),
        graceMs: parts.graceMs,
        cgroup: group,
        disk: parts.disk,
        options,
        gone: gone.signal,
        onProcesses: (seen) => (processesPeak = Math.max(processesPeak, seen)),
      })
    } catch (error) {
      throw asSandboxError(error, 'the command could not be run')
    } finally {
      await group?.remove()
    }
  }

  return {
    id: spec.id,
    kind: 'namespace',
    exec(argv, options) {
      if (gone.signal.aborted) {
        return Promise.reject(new SandboxError('sandbox_gone', `the wall ${spec.id} was destroyed`))
      }
      const result = exec(argv, options)
      const settled = result.catch(() => undefined).finally(() => running.delete(settled))
      running.add(settled)
      return result
    },
    stats() {
      const peaks = cgroup?.peaks()
      return Promise.resolve({
        ...(peaks?.memoryBytes === undefined ? {} : { memoryPeakBytes: peaks.memoryBytes }),
        processesPeak: peaks?.processes ?? processesPeak,
      })
    },
    destroy() {
      gone.abort()
      destroyed ??= Promise.all(running).then(parts.release)
      return destroyed
    },
  }
}

function launchOf(parts: WallParts, name: string, command: string[], options: ExecOptions): Launch {
  const { spec } = parts
  if (command.length === 0) throw new SandboxError('sandbox_bad_request', 'exec was given no command')
  const env = { ...spec.env, ...options.env }
  const words = [...command, options.cwd ?? '', ...Object.entries(env).flat()]
  if (words.some((word) => word.includes('\0'))) {
    throw new SandboxError('sandbox_bad_request', 'a command, path or variable holds a NUL character')
  }
  const badName = Object.keys(env).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (badName !== undefined) throw new SandboxError('sandbox_bad_request', `"${badName}" is no variable name`)
  return {
    layout: parts.layout,
    execName: `${parts.wallName}.${name}`,
    uid: parts.uid,
    limits: spec.limits,
    join: [],
    cgroups: parts.cgroup !== undefined,
    workspace: parts.workspace,
    readOnly: spec.readOnly ?? [],
    cwd: posix.resolve(wallWorkspace, options.cwd ?? '.'),
    env,
    command,
  }
}
