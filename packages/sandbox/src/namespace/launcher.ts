import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Duplex, Readable, Writable } from 'node:stream'
import { bwrapOptions, fds, go, launchArgv, type Launch } from './argv.ts'
import { isGone, readStart, startOf } from './owner.ts'
import type { Streams } from './streams.ts'

/** A bubblewrap that is being started or runs. */
export type Launched = {
  child: ChildProcess
  /** Pid 1 inside, as the host sees it. */
  init(): { pid: number; start: string | undefined } | undefined
  /** Of the command, as bubblewrap reports it; undefined as long as there is none. */
  exitCode(): number | undefined
  /** The command itself is about to run. */
  begun: Promise<void>
  exited: Promise<{ signal: NodeJS.Signals | undefined }>
  /** All that it and bubblewrap wrote was read. */
  closed: Promise<unknown>
}

export function launchWall(launch: Launch, filter: string, streams: Streams): Launched {
  const child = start(launch, filter, streams)
  const exited = new Promise<{ signal: NodeJS.Signals | undefined }>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (_code, signal) => resolve({ signal: signal ?? undefined }))
  })
  const status = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })

  const options = child.stdio[fds.args] as Writable
  // It may die before it has read them; then its exit says so.
  options.on('error', () => undefined)
  options.end(`${bwrapOptions(launch).join('\0')}\0`)

  let init: { pid: number; start: string | undefined } | undefined
  // Node's pipes to a child are socket pairs, so the gate speaks both ways.
  const gate = child.stdio[fds.gate] as Duplex
  gate.on('error', () => undefined)
  let isAtGate = false
  const begun = Promise.withResolvers<void>()
  const openGate = () => {
    if (!isAtGate || init === undefined) return
    gate.end(go)
    begun.resolve()
  }
  gate.once('data', () => {
    isAtGate = true
    openGate()
  })

  let exitCode: number | undefined
  createInterface(child.stdio[fds.status] as Readable).on('line', (line) => {
    const report = JSON.parse(line) as { 'child-pid'?: number; 'exit-code'?: number }
    const pid = report['child-pid']
    if (pid !== undefined) {
      init = { pid, start: startOf(pid) }
      openGate()
    }
    exitCode = report['exit-code'] ?? exitCode
  })
  return {
    child,
    init: () => init,
    exitCode: () => exitCode,
    begun: begun.promise,
    exited,
    closed: Promise.all([status, streams.closed]),
  }
}

function start(launch: Launch, filter: string, streams: Streams): ChildProcess {
  const [program, ...argv] = launchArgv(launch) as [string, ...string[]]
  // Opened for each start: bubblewrap reads from where the descriptor stands.
  const filterFd = openSync(filter, 'r')
  const nothing = openSync('/dev/null', 'r')
  try {
    return spawn(program, argv, {
      cwd: '/',
      // What bubblewrap starts with can be read inside, in /proc/1/environ.
      env: {},
      stdio: withoutInherited([...streams.childFds, filterFd, 'pipe', 'pipe', 'pipe'], nothing),
    })
  } catch (error) {
    // Such as a command line longer than the kernel takes: nothing was started, so nobody reads these to their end.
    for (const stream of [streams.stdout, streams.stderr]) stream.destroy()
    streams.giveBack()
    throw error
  } finally {
    streams.handedOver()
    closeSync(filterFd)
    closeSync(nothing)
  }
}

/**
 * Node closes its own descriptors on exec, but not those its parent left open in it, and bubblewrap hands everything
 * on. Those are covered with /dev/null: one of them could be a log, a database socket or a directory of the host.
 */
function withoutInherited(stdio: (number | 'pipe' | 'ignore')[], nothing: number) {
  for (const fd of inheritable()) {
    // 'ignore' opens nothing and closes nothing above stderr.
    while (stdio.length <= fd) stdio.push('ignore')
    if (stdio[fd] === 'ignore' && fd > 2) stdio[fd] = nothing
  }
  return stdio
}

const O_CLOEXEC = 0o2000000

function inheritable(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => {
      try {
        const flags = /^flags:\s*([0-7]+)/m.exec(readStart(`/proc/self/fdinfo/${fd}`))
        return flags !== null && (Number.parseInt(flags[1] as string, 8) & O_CLOEXEC) === 0
      } catch (error) {
        // The one that the listing itself used.
        if (isGone(error)) return false
        throw error
      }
    })
}
