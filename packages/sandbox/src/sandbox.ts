export type WallKind = 'namespace' | 'container' | 'microvm'

/** All of them hold for the whole wall, except `openFiles` (per process) and `fileBytes` (per file). */
export type WallLimits = {
  memoryBytes: number
  processes: number
  openFiles: number
  fileBytes: number
  workspaceBytes: number
  tmpBytes: number
  cpus: number
}

const MiB = 2 ** 20
const GiB = 2 ** 30

/**
 * Room for what an agent really does on a small machine: `tsc` and a test runner of a mid-size project stay under
 * 2 GiB and 200 threads, a checkout with its node_modules under 2 GiB. `openFiles` is 4096 because watchers and bundlers
 * open one descriptor per module, and 1024 stopped them; the memory limit still bounds what descriptors can cost.
 * A single file above 512 MiB in a code workspace is a mistake or an attack.
 */
export const defaultLimits: WallLimits = {
  memoryBytes: 2 * GiB,
  processes: 512,
  openFiles: 4096,
  fileBytes: 512 * MiB,
  workspaceBytes: 4 * GiB,
  tmpBytes: 256 * MiB,
  cpus: 2,
}

export type WallSpec = {
  /** `[a-z0-9-]{1,64}`, the run id; two living walls of one state directory never share it. */
  id: string
  /** Absolute host directory, mounted read-write at `/workspace`. As root its files change owner. */
  workspace: string
  limits: WallLimits
  network: { kind: 'none' }
  env: Record<string, string>
  readOnly?: { host: string; inside: string }[]
}

export type ExecOptions = {
  /** A path inside the wall; `/workspace` when absent. */
  cwd?: string
  env?: Record<string, string>
  stdin?: string | Uint8Array
  timeoutMs: number
  /** Kept of each stream; the rest is counted and dropped. */
  maxOutputBytes: number
  /** Sees what is kept, as it comes, never half a character. */
  onOutput?: (chunk: { stream: 'stdout' | 'stderr'; text: string }) => void
  signal?: AbortSignal
}

export type Ended =
  | 'exited'
  | 'signalled'
  | 'timed_out'
  | 'aborted'
  | 'memory_limit'
  | 'process_limit'
  | 'disk_limit'

export type ExecResult = {
  /** 128 + n when signal n ended the command; null when the wall ended it. */
  code: number | null
  ended: Ended
  signal?: string
  stdout: string
  stderr: string
  droppedBytes: number
  ms: number
}

export type LiveOptions = {
  /** A path inside the wall; `/workspace` when absent. */
  cwd?: string
  env?: Record<string, string>
  /** Of the whole life of the command. */
  timeoutMs: number
  /** Sees standard output as it comes, all of it; nothing is kept. What comes is to be read as hostile. */
  onOutput: (bytes: Uint8Array) => void
  /** Kept of standard error, for the result; the rest is counted and dropped. */
  maxErrorBytes: number
  signal?: AbortSignal
}

/** A command that is talked to while it runs. */
export type LiveExec = {
  /** True when it was handed over; false when the command no longer reads. Standard input cannot be opened by name. */
  write(input: string | Uint8Array): Promise<boolean>
  closeInput(): void
  /** As the result of `exec`, with an empty `stdout`. */
  ended: Promise<ExecResult>
  /** Asks it to end, and kills it after the grace. It resolves as `aborted`, unless it had ended. */
  stop(): Promise<ExecResult>
}

/**
 * Contract of `exec`, kept by every driver and checked by `conformance.ts`:
 * - it resolves for every ending of the command and rejects (with a SandboxError) only when the wall could not run it;
 * - a program that is not there is exit code 127, as in a shell;
 * - when it returns, no process it started is alive, whatever those did to stay;
 * - only `/workspace` is certain to outlive a command: /tmp and HOME may be fresh for each;
 * - a limit that was hit is named in `ended`, unless the command went on and exited with 0;
 * - several may run at once; they share the limits.
 *
 * All of it holds for a live command as a whole: `start` rejects when the wall could not run it and resolves when it
 * begins, `ended` rejects only when the wall failed, and once that has settled nothing the command started is alive.
 */
export interface Sandbox {
  readonly id: string
  readonly kind: WallKind
  exec(argv: string[], options: ExecOptions): Promise<ExecResult>
  start(argv: string[], options: LiveOptions): Promise<LiveExec>
  stats(): Promise<{ memoryPeakBytes?: number; processesPeak?: number }>
  /** Ends running commands (they resolve as `aborted`). May be called twice. The workspace stays. */
  destroy(): Promise<void>
}

export type DriverCaps = {
  snapshot: boolean
  clone: boolean
  ownKernel: boolean
  limits: ('pids' | 'memory' | 'cpu' | 'disk')[]
  net: ('none' | 'local' | 'full' | 'allowlist')[]
}

/**
 * Contract: a driver never runs anything outside its wall and never gives a weaker wall than its kind. What it cannot
 * do, it refuses with a SandboxError that says the remedy.
 */
export interface SandboxDriver {
  readonly kind: WallKind
  readonly caps: DriverCaps
  /** Really starts a wall. Never throws: a machine that cannot is an answer. */
  probe(): Promise<{ ok: boolean; detail: string; fix?: string }>
  create(spec: WallSpec): Promise<Sandbox>
  /** After a crash of the owner: reaps what dead owners left in this state directory and returns the wall ids. */
  adopt(): Promise<string[]>
}

export type SandboxErrorCode =
  /** The wall cannot be had on this machine, or not now: tasks wait. */
  | 'sandbox_unavailable'
  /** The wall's user cannot reach the workspace (or a directory to be mounted). */
  | 'sandbox_workspace_unreachable'
  /** The workspace is, or shares files with, something that is not the run's own. */
  | 'sandbox_workspace_refused'
  /** The request makes no sense: a bad id, a relative path, a limit that is no number. */
  | 'sandbox_bad_request'
  /** A living wall has this id. */
  | 'sandbox_id_taken'
  /** The wall was destroyed. */
  | 'sandbox_gone'
  /** Something inside could not be ended. The wall must not be used again. */
  | 'sandbox_leftovers'

export class SandboxError extends Error {
  readonly code: SandboxErrorCode
  readonly hint: string | undefined

  constructor(code: SandboxErrorCode, message: string, hint?: string) {
    super(message)
    this.name = 'SandboxError'
    this.code = code
    this.hint = hint
  }
}

/** For the edges of a driver: what it did not foresee (a full disk, a vanished directory) is a wall that is not to be had. */
export function asSandboxError(error: unknown, what: string): SandboxError {
  if (error instanceof SandboxError) return error
  const said = error instanceof Error ? error.message : String(error)
  return new SandboxError('sandbox_unavailable', `${what}: ${said}`)
}
