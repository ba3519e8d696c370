import type { ToolCall } from '@muster/llm/model'
import type { Sandbox } from '@muster/sandbox/sandbox'
import type { Observation, Toolbox } from '../loop/toolbox.ts'
import { checkArguments } from './arguments.ts'
import { maxCheckpointBytes, readCheckpoint, type Checkpoint } from './checkpoint.ts'
import { openLastingServer } from './lasting-server.ts'
import { observe } from './observe.ts'
import { judgeCommand } from './policy/command-policy.ts'
import { requestOf, type Bounds } from './requests.ts'
import { toolSpecs } from './specs.ts'
import { trimObservation } from './trim.ts'

export type ToolboxOptions = {
  /** The agent's wall. Nothing else may write to its workspace while the toolbox is open. */
  wall: Pick<Sandbox, 'start'>
  /** Longest life of the tool program: what is left of the run's time. */
  lifeMs: number
  /** Longest time that a command may ask for; the run's own when absent. */
  maxCommandMs?: number
  /** True: the run's network policy is another than `none`, so that commands may fetch. */
  network?: boolean
  /** Between SIGTERM and SIGKILL for a command that takes too long. */
  graceMs?: number
  /** An observation as JSON is not longer than this. */
  maxObservationChars?: number
  /** For the tool program and the commands it runs, on top of the wall's own. */
  env?: Record<string, string>
}

/** So that programs neither page nor ask nor colour. */
const quiet = {
  CI: '1',
  NO_COLOR: '1',
  TERM: 'dumb',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
}

/** The first one reads every file of a large repository; the others what changed. */
const checkpointMs = 60_000

/** The tools of one run, in its wall. Rejects with `ToolsUnavailable` when the wall has no Node to run them. */
export async function createToolbox(options: ToolboxOptions) {
  const { wall, lifeMs, maxObservationChars = 16_000 } = options
  const bounds: Bounds = {
    maxCommandMs: options.maxCommandMs ?? lifeMs,
    graceMs: options.graceMs ?? 5_000,
    // Two streams, and JSON makes a line of text a little longer.
    maxBytes: Math.floor(maxObservationChars * 0.8),
  }
  const server = await openLastingServer({ wall, lifeMs, env: { ...quiet, ...options.env } })

  /** Calls wait for each other: a model may make several at once, and each sees what the one before it left. */
  let before: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = before.then(work)
    before = result.catch(() => undefined)
    return result
  }

  const run = async (call: ToolCall, signal: AbortSignal): Promise<Observation> => {
    if (call.malformed !== undefined) {
      return {
        success: false,
        code: 'MALFORMED_CALL',
        error: `The arguments could not be read: ${call.malformed}`,
      }
    }
    const checked = checkArguments(call.name, call.args)
    if (!checked.ok) return { success: false, code: checked.code, error: checked.error }
    if (checked.name === 'run_command') {
      const { command, cwd = '.' } = checked.args
      const verdict = judgeCommand(String(command), { network: options.network ?? false, cwd: String(cwd) })
      if (!verdict.ok) return { success: false, code: verdict.code, rule: verdict.rule, error: verdict.error }
    }
    const request = requestOf(checked.name, checked.args, bounds)
    if (!request.ok) return { success: false, code: request.code, error: request.error }
    const reply = await server.ask(checked.name, request.args, request.limitMs, signal)
    return observe(checked.name, reply)
  }

  let state = ''
  const makeCheckpoint = async (base: string, signal: AbortSignal | undefined): Promise<Checkpoint> => {
    const args = { base, last: state, maxBytes: maxCheckpointBytes, timeoutMs: checkpointMs }
    const read = readCheckpoint(await server.ask('checkpoint', args, checkpointMs + 5_000, signal))
    state = read.state ?? state
    const { state: _, ...checkpoint } = read
    return checkpoint
  }

  const toolbox: Toolbox = {
    specs: toolSpecs,
    run: (call, { signal }) =>
      inTurn(async () => trimObservation(await run(call, signal), maxObservationChars)),
  }
  return {
    ...toolbox,
    /** What is in the workspace as a commit in a bundle, seen by nobody inside. `base` is the commit the run started from. */
    checkpoint: (base: string, signal?: AbortSignal) => inTurn(() => makeCheckpoint(base, signal)),
    /** Ends the tool program, and with it everything in its part of the wall. May be called twice. */
    close: server.close,
  }
}
