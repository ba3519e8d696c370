import { join, posix } from 'node:path'
import {
  asSandboxError,
  SandboxError,
  type ExecOptions,
  type ExecResult,
  type LiveExec,
  type LiveOptions,
  type Sandbox,
  type WallSpec,
} from '../sandbox.ts'
import { wallWorkspace, type HostLayout, type Launch } from './argv.ts'
import type { WallCgroup } from './cgroup.ts'
import type { DiskMeter } from './disk-usage.ts'
import { execInWall, liveInWall } from './exec.ts'
import type { Pipes } from './pipes.ts'
import type { ProcessRow } from './processes.ts'
import type { Bubble } from './start.ts'
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
  processes: () => ProcessRow[]
  graceMs: number
  /** Gives back what create took, when no command is left. */
  release: () => Promise<void>
}

/** One bubblewrap per command on one workspace: a daemon cannot outlive the command that started it. */
export function createWall(parts: WallParts): Sandbox {
  const { spec, cgroup } = parts
  const gone = new AbortController()
  const running = createRunning()
  let count = 0
  let processesPeak = 0
  let destroyed: Promise<void> | undefined

  const open = async (argv: string[], options: ExecOptions | LiveOptions): Promise<Bubble> => {
    count += 1
    const name = `x${count}`
    const launch = launchOf(parts, name, argv, options)
    const group = await cgroup?.enter(name)
    return {
      launch: { ...launch, join: group?.procsFiles ?? [] },
      filter: parts.files.filter,
      pipes: parts.pipes,
      pipePrefix: join(parts.files.walls, launch.execName),
      graceMs: parts.graceMs,
      cgroup: group,
      disk: parts.disk,
      processes: parts.processes,
      gone: gone.signal,
      onProcesses: (seen) => (processesPeak = Math.max(processesPeak, seen)),
    }
  }
  const exec = async (argv: string[], options: ExecOptions): Promise<ExecResult> => {
    const bubble = await open(argv, options)
    return execInWall(bubble, options).finally(() => bubble.cgroup?.remove())
  }
  const live = async (argv: string[], options: LiveOptions): Promise<LiveExec> => {
    const bubble = await open(argv, options)
    const begun = liveInWall(bubble, options)
    const removed = begun.then(({ ended }) => ended).finally(() => bubble.cgroup?.remove())
    const ended = removed.catch((error: unknown) => {
      throw asSandboxError(error, 'the live command failed')
    })
    running.add(ended)
    const { write, closeInput, stop } = await begun
    return {
      write,
      closeInput,
      ended,
      stop() {
        void stop()
        return ended
      },
    }
  }
  const whileThere = <T>(run: () => Promise<T>): Promise<T> => {
    if (gone.signal.aborted) {
      return Promise.reject(new SandboxError('sandbox_gone', `the wall ${spec.id} was destroyed`))
    }
    const result = run().catch((error: unknown) => {
      throw asSandboxError(error, 'the command could not be run')
    })
    running.add(result)
    return result
  }
  return {
    id: spec.id,
    kind: 'namespace',
    exec: (argv, options) => whileThere(() => exec(argv, options)),
    start: (argv, options) => whileThere(() => live(argv, options)),
    stats() {
      const peaks = cgroup?.peaks()
      return Promise.resolve({
        ...(peaks?.memoryBytes === undefined ? {} : { memoryPeakBytes: peaks.memoryBytes }),
        processesPeak: peaks?.processes ?? processesPeak,
      })
    },
    destroy() {
      gone.abort()
      destroyed ??= running.over().then(parts.release)
      return destroyed
    },
  }
}

/** What destroying a wall waits for; more may come while it waits. */
function createRunning() {
  const all = new Set<Promise<unknown>>()
  return {
    add(work: Promise<unknown>): void {
      const settled = work.catch(() => undefined).finally(() => all.delete(settled))
      all.add(settled)
    },
    async over(): Promise<void> {
      while (all.size > 0) await Promise.all(all)
    },
  }
}

function launchOf(
  parts: WallParts,
  name: string,
  command: string[],
  options: ExecOptions | LiveOptions,
): Launch {
  const { spec } = parts
  if (command.length === 0) throw new SandboxError('sandbox_bad_request', 'there is no command to run')
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
