import { SandboxError, type ExecResult, type LiveExec, type Sandbox } from '@muster/sandbox/sandbox'
import { randomBytes } from 'node:crypto'
import { readAnswer, splitLines, type Answer } from './answer-lines.ts'
import { boot, readServerProgram } from './server-program.ts'
import { ToolsUnavailable } from './tools-unavailable.ts'

export type ServerOptions = {
  wall: Pick<Sandbox, 'start'>
  /** Of one server's whole life. */
  lifeMs: number
  env: Record<string, string>
}

/** `lost`: there was no answer, and there is no server any more. */
export type Reply =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'lost'; why: string; limit: string | undefined }

export type ToolServer = Awaited<ReturnType<typeof startToolServer>>

// A file of 1 MB is 6 MB as JSON if it is all control characters; a checkpoint of 3 MB is 4 MB as base64.
const maxLineBytes = 8 * 1024 * 1024
// Lines that answer nothing: a command that writes where the server writes. A few may be an accident.
const maxStrayLines = 1_000
const helloMs = 20_000
const maxErrorBytes = 4_096

/** Starts the tool program in a wall and speaks with it. Its answers are read as what they are: the agent may write them. */
export async function startToolServer({ wall, lifeMs, env }: ServerOptions) {
  const program = await readServerProgram()
  const waiting = new Map<string, (reply: Reply) => void>()
  let stray = 0
  let stopped: string | undefined
  let live: LiveExec | undefined
  const stop = (why: string): void => {
    stopped ??= why
    void live?.stop().catch(() => undefined)
  }
  const take = (line: string): void => {
    const answer = readAnswer(line)
    const settle = answer && waiting.get(answer.id)
    if (answer !== undefined && settle !== undefined) return settle({ kind: 'answer', answer })
    stray += 1
    if (stray === maxStrayLines) stop('something else wrote where the tools answer')
  }
  const onOutput = splitLines(maxLineBytes, take, () => stop('an answer was longer than answers may be'))
  // 192 MB hold the largest file that a tool reads many times over; what is more belongs to the agent's own programs.
  const argv = ['node', '--max-old-space-size=192', '-e', boot]
  live = await wall.start(argv, { timeoutMs: lifeMs, maxErrorBytes, env, onOutput })
  const { write, closeInput, ended } = live

  let isOver = false
  const lost = ended.then(
    (result) => describeEnd(result, stopped),
    (error: unknown): Lost => ({ kind: 'lost', why: String(error), limit: undefined, result: undefined }),
  )
  void lost.then((end) => {
    isOver = true
    for (const settle of waiting.values()) settle(end)
  })

  const wait = async (id: string, limitMs: number, signal: AbortSignal | undefined): Promise<Reply> => {
    const { promise, resolve } = Promise.withResolvers<Reply>()
    waiting.set(id, resolve)
    if (isOver) return lost
    const timer = setTimeout(
      () => stop(`there was no answer within ${Math.round(limitMs / 1000)} s`),
      limitMs,
    )
    const onAbort = (): void => stop('the run was stopped')
    signal?.addEventListener('abort', onAbort)
    try {
      if (signal?.aborted === true) onAbort()
      return await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      waiting.delete(id)
    }
  }

  const hello = wait('hello', helloMs, undefined)
  await write(`${program}\n`)
  if ((await hello).kind === 'lost') throw unavailable(await lost)

  return {
    isOver: () => isOver,
    /** One at a time is carried out, in the order in which they come. */
    async ask(operation: string, args: object, limitMs: number, signal?: AbortSignal): Promise<Reply> {
      // Not to be guessed, so that a line that was written blindly is no answer.
      const id = randomBytes(9).toString('base64url')
      const reply = wait(id, limitMs, signal)
      await write(`${JSON.stringify({ id, operation, args })}\n`)
      return reply
    },
    async close(): Promise<void> {
      closeInput()
      stop('the tools were closed')
      await lost
    },
  }
}

type Lost = Extract<Reply, { kind: 'lost' }> & { result: ExecResult | undefined }

function describeEnd(result: ExecResult, stopped: string | undefined): Lost {
  const limit = result.ended.endsWith('_limit') || result.ended === 'timed_out' ? result.ended : undefined
  const how = result.signal ?? (result.code === null ? result.ended : `exit code ${result.code}`)
  return { kind: 'lost', why: stopped ?? `it ended with ${how}`, limit, result }
}

function unavailable({ why, result }: Lost): Error {
  if (result === undefined) return new SandboxError('sandbox_unavailable', why)
  const said = result.stderr.trim().split('\n').slice(-3).join(' ')
  return new ToolsUnavailable(
    `the tools of the run could not be started in the wall: ${why}${said === '' ? '' : ` (${said})`}`,
    result.code === 127
      ? 'Walls need Node 20 or later: install it in /usr, or name its directory in MUSTER_WALL_TOOLS.'
      : undefined,
  )
}
