import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../failure.ts'
import type { Running } from './child.ts'
import type { LogFile } from './log-file.ts'
import { logLine } from './log-line.ts'
import { decideRestart, noRestarts, type RestartPolicy } from './restart-policy.ts'

export type Part = {
  name: string
  log: Pick<LogFile, 'path' | 'write'>
  policy: RestartPolicy
  /** `restarts`: how often it was started again before. */
  start(restarts: number): Promise<Running>
  /** Whether an end like this is for good, so that starting it again cannot help. */
  isFinal?: (how: string) => Failure | undefined
}

export type Supervised = {
  current(): Running | undefined
  stop(): Promise<void>
  kill(): void
}

type Listener = {
  changed: () => Promise<void>
  say: (text: string) => void
  givenUp: (why: Failure) => void
}

/**
 * Keeps one part running. The first start must work, or this throws; after that an end that nobody asked for is
 * followed by another start, until the policy gives up and `givenUp` is told why.
 */
export async function supervise(part: Part, on: Listener): Promise<Supervised> {
  const stopping = new AbortController()
  const say = (text: string) => {
    on.say(text)
    part.log.write(logLine(text))
  }
  let current: Running | undefined = await part.start(0)
  await on.changed()

  const giveUp = (why: Failure) => {
    part.log.write(logLine(why.message))
    on.givenUp(why)
  }
  const keep = async () => {
    let history = noRestarts
    while (!stopping.signal.aborted) {
      const began = Date.now()
      const how = current === undefined ? 'it did not start' : await current.ended
      if (stopping.signal.aborted) return
      current = undefined
      await on.changed()
      const final = part.isFinal?.(how)
      if (final !== undefined) return giveUp(final)
      const decision = decideRestart(part.policy, history, { at: Date.now(), livedMs: Date.now() - began })
      if (decision.action === 'give_up') return giveUp(gaveUp(part, decision.ends))
      history = decision.history
      const when = decision.delayMs === 0 ? 'at once' : `in ${decision.delayMs / 1_000} s`
      say(`The ${part.name} ${endText(how)}; starting it again ${when}. Its log: ${part.log.path}`)
      await sleep(decision.delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      current = await startAgain(part, history.restarts, say)
      await on.changed()
      if (current !== undefined) say(`The ${part.name} runs again.`)
    }
  }
  const keeping = keep()
  return {
    current: () => current,
    async stop() {
      stopping.abort()
      await current?.stop()
      await keeping
      // A start that was under way when we were told to stop.
      await current?.stop()
    },
    kill() {
      stopping.abort()
      current?.kill()
    },
  }
}

/** What a worker ends with that restarts itself; nothing is wrong then. */
const planned = 'exit code 75'

function endText(how: string): string {
  return how === planned ? 'restarts itself' : `ended (${how})`
}

async function startAgain(
  part: Part,
  restarts: number,
  say: (text: string) => void,
): Promise<Running | undefined> {
  try {
    return await part.start(restarts)
  } catch (error) {
    say(`The ${part.name} did not start: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function gaveUp(part: Part, ends: string): Failure {
  return new Failure(
    'gave_up',
    `The ${part.name} ended ${ends}; giving up.`,
    `Its last words are in ${part.log.path}. "npx muster doctor" looks for the usual causes.`,
    1,
  )
}
