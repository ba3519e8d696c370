import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../failure.ts'
import type { Running } from './child.ts'
import { decideRestart, noRestarts } from './restart-policy.ts'

export type Part = {
  name: string
  logPath: string
  start(): Promise<Running>
}

export type Supervised = {
  current(): Running | undefined
  stop(): Promise<void>
  kill(): void
}

/**
 * Keeps one part running. The first start must work, or this throws; after that an end that nobody asked for is
 * followed by another start, until the policy gives up and `onGivenUp` is told why.
 */
export async function supervise(
  part: Part,
  on: { changed: () => Promise<void>; say: (text: string) => void; givenUp: (why: Failure) => void },
): Promise<Supervised> {
  const stopping = new AbortController()
  let current: Running | undefined = await part.start()
  await on.changed()

  const keep = async () => {
    let history = noRestarts
    while (!stopping.signal.aborted) {
      const began = Date.now()
      const how = current === undefined ? 'it did not start' : await current.ended
      if (stopping.signal.aborted) return
      current = undefined
      await on.changed()
      const decision = decideRestart(history, { at: Date.now(), livedMs: Date.now() - began })
      if (decision.action === 'give_up') return on.givenUp(gaveUp(part, decision.restarts))
      history = decision.history
      on.say(
        `The ${part.name} ended (${how}); starting it again in ${decision.delayMs / 1_000} s. Its log: ${part.logPath}`,
      )
      await sleep(decision.delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      current = await startAgain(part, on.say)
      await on.changed()
      if (current !== undefined) on.say(`The ${part.name} runs again.`)
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

async function startAgain(part: Part, say: (text: string) => void): Promise<Running | undefined> {
  try {
    return await part.start()
  } catch (error) {
    say(`The ${part.name} did not start: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function gaveUp(part: Part, restarts: number): Failure {
  return new Failure(
    'gave_up',
    `The ${part.name} ended ${restarts} times within 5 minutes; giving up.`,
    `Its last words are in ${part.logPath}. "npx muster doctor" looks for the usual causes.`,
    1,
  )
}
