import { setTimeout as sleep } from 'node:timers/promises'
import type { Writable } from 'node:stream'
import { SandboxError, type Ended } from '../sandbox.ts'
import type { Launch } from './argv.ts'
import type { ExecCgroup } from './cgroup.ts'
import { readHostFacts, remedy } from './diagnose.ts'
import type { DiskMeter } from './disk-usage.ts'
import { endingOf, type Ending } from './ending.ts'
import { launchWall, type Launched } from './launcher.ts'
import { startOf } from './owner.ts'
import { descendants, listProcesses, processesNamed, signalProcess, type ProcessRow } from './processes.ts'
import { openStreams, type Input, type Streams } from './streams.ts'
import type { Pipes } from './pipes.ts'
import { watch } from './watch.ts'

/** What a wall gives to each of its commands. */
export type Bubble = {
  launch: Launch
  filter: string
  pipes: Pipes
  /** A path that no other command uses, for pipes and input that have a name for a moment. */
  pipePrefix: string
  graceMs: number
  cgroup: ExecCgroup | undefined
  disk: DiskMeter
  processes: () => ProcessRow[]
  /** Ends when the wall is destroyed. */
  gone: AbortSignal
  onProcesses: (count: number) => void
}

export type Talk = {
  input: Input
  timeoutMs: number
  signal: AbortSignal | undefined
  onStdout: (chunk: Buffer) => void
  onStderr: (chunk: Buffer) => void
  /** What came on standard error, for the reason why a wall did not start. */
  said: () => string
}

export type Started = {
  /** Only of a live command. */
  stdin: Writable | null
  begun: Promise<void>
  /** Settles when nothing of the command is left. */
  ended: Promise<Ending & { ms: number }>
  stop: () => void
}

// A killed wall is gone within milliseconds; a process in uninterruptible sleep (a dead disk) is not.
const LEFTOVERS_MS = 10_000

/** Starts one command in one bubblewrap. */
export async function startInWall(bubble: Bubble, talk: Talk): Promise<Started> {
  const started = performance.now()
  const streams = await openStreams(bubble.pipes, bubble.pipePrefix, talk.input)
  const launched = launchWall(bubble.launch, bubble.filter, streams)
  const over = new AbortController()
  const stopping = createStop(launched, bubble, over.signal)
  streams.stdout.on('data', talk.onStdout)
  streams.stderr.on('data', talk.onStderr)

  const onAbort = (): void => stopping.stop('aborted')
  const stopSignal = AbortSignal.any([bubble.gone, ...(talk.signal === undefined ? [] : [talk.signal])])
  if (stopSignal.aborted) onAbort()
  else stopSignal.addEventListener('abort', onAbort, { signal: over.signal })
  const timer = setTimeout(() => stopping.stop('timed_out'), talk.timeoutMs)
  const watching = watch({
    limits: bubble.launch.limits,
    cgroup: bubble.cgroup,
    disk: bubble.disk,
    processes: bubble.processes,
    isLive: talk.input === 'live',
    init: () => launched.init()?.pid,
    onProcesses: bubble.onProcesses,
    stop: stopping.stop,
    over: over.signal,
  })
  // A limit nobody watches any more is no limit: the command ends, and the error is thrown below.
  watching.catch(() => launched.child.kill('SIGKILL'))

  const ended = endOf({ launched, bubble, streams, watching, over, why: stopping.why, said: talk.said })
    .then((ending) => ({ ...ending, ms: Math.round(performance.now() - started) }))
    .finally(() => {
      clearTimeout(timer)
      over.abort()
    })
  return { stdin: launched.child.stdin, begun: launched.begun, ended, stop: onAbort }
}

type Running = {
  launched: Launched
  bubble: Bubble
  streams: Streams
  watching: Promise<void>
  over: AbortController
  why: () => Ended | undefined
  said: () => string
}

async function endOf({ launched, bubble, streams, watching, over, why, said }: Running): Promise<Ending> {
  const { signal } = await launched.exited.catch((error: Error) => {
    streams.giveBack()
    throw new SandboxError('sandbox_unavailable', `the wall could not be started: ${error.message}`)
  })
  over.abort()
  await watching
  await endLeftovers(launched, bubble)
  streams.giveBack()
  // Nobody is left to write, so the end is there to be read; a stream that does not show it must not hold the command.
  const late = new AbortController()
  await Promise.race([
    launched.closed,
    sleep(LEFTOVERS_MS, undefined, { signal: late.signal }).catch(() => undefined),
  ])
  late.abort()
  const { oomKills, processHits } = bubble.cgroup?.hits() ?? { oomKills: 0, processHits: 0 }
  const ending = endingOf({
    stopped: why(),
    exitCode: launched.exitCode(),
    launcherSignal: signal,
    oomKills,
    processHits,
    overDisk: why() === undefined && (await bubble.disk.mayBeOver([])),
  })
  if (ending === undefined) throw failedToStart(said())
  return ending
}

function failedToStart(said: string): SandboxError {
  const words = said.trim() || 'bubblewrap ended without a word'
  return new SandboxError(
    'sandbox_unavailable',
    `the wall could not be started: ${words}`,
    remedy(said, readHostFacts()),
  )
}

/** The first reason stands. A limit kills at once; time and people ask first and kill after the grace. */
function createStop(launched: Launched, { cgroup, graceMs }: Bubble, over: AbortSignal) {
  let why: Ended | undefined
  // Everything inside dies with it (--die-with-parent, and the pid namespace).
  const kill = (): boolean => launched.child.kill('SIGKILL')
  return {
    why: () => why,
    stop(reason: Ended): void {
      if (why !== undefined) return
      why = reason
      const init = launched.init()?.pid
      if ((reason !== 'timed_out' && reason !== 'aborted') || init === undefined) {
        kill()
        return
      }
      const known = cgroup?.pids() ?? descendants(listProcesses(), init).map((row) => row.pid)
      // Pid 1 and its parent are bubblewrap's own: without them the others would be killed, not asked.
      for (const pid of known.filter((pid) => pid !== init && pid !== launched.child.pid)) {
        signalProcess(pid, 'SIGTERM')
      }
      sleep(graceMs, undefined, { signal: over }).then(kill, () => undefined)
    },
  }
}

/**
 * Pid 1 inside is killed when bubblewrap ends, and the kernel ends the rest with it; this waits until that is true,
 * and is the second way where the first did not do.
 */
async function endLeftovers(launched: Launched, { cgroup, launch }: Bubble): Promise<void> {
  const init = launched.init()
  const left = (): number[] => [
    ...(init !== undefined && init.start !== undefined && startOf(init.pid) === init.start ? [init.pid] : []),
    ...(cgroup?.pids() ?? processesNamed(launch.execName)),
  ]
  const until = performance.now() + LEFTOVERS_MS
  for (let wait = 1; left().length > 0; wait = Math.min(wait * 2, 50)) {
    if (performance.now() > until) {
      throw new SandboxError(
        'sandbox_leftovers',
        `processes ${left().join(', ')} of a finished command cannot be killed`,
      )
    }
    if (wait > 4) {
      await cgroup?.kill()
      for (const pid of left()) signalProcess(pid, 'SIGKILL')
    }
    await sleep(wait)
  }
}
