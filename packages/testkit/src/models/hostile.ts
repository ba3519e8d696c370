import type { FakeModelServer, FakeOptions } from './fake-options.ts'
import { startFakeAnthropic } from './fake-anthropic.ts'
import { startFakeOllama } from './fake-ollama.ts'
import { startFakeOpenAi } from './fake-openai.ts'
import { type FakeServer, startFakeServer } from './fake-server.ts'
import { hostileAnswers } from './hostile-answers.ts'
import { hostileCalls } from './hostile-calls.ts'
import { hostileConnections } from './hostile-connections.ts'
import { hostileRefusals } from './hostile-refusals.ts'
import { hostileStreams } from './hostile-streams.ts'
import { answerWhole } from './play.ts'
import type { Surface, Turn, TurnFunction, Behaviour } from './turn.ts'

/** Something that a server does to its client, and what a client that keeps its contract makes of it. */
export type Hostile = {
  name: string
  servers: Surface[]
  /** How the call may end; any of them is right. */
  ends: Ending[]
  /** Who has to end it, because the server does not: the limit of silence, or the caller's signal. */
  endedBy?: 'silence' | 'caller'
  /** With `quota`: in how many seconds it says that it may be asked again; `null` when it says nothing usable. */
  resetInS?: number | null
  /** Nobody listens from the start. */
  refusesConnections?: true
  turn: Turn | TurnFunction | Behaviour
}

/** `ok`, or a class of failure of the contract of `llm`. */
export type Ending =
  | 'ok'
  | 'unavailable'
  | 'busy'
  | 'quota'
  | 'invalid_request'
  | 'cut_off'
  | 'refused'
  | 'aborted'

export const hostiles: readonly Hostile[] = [
  ...hostileConnections,
  ...hostileStreams,
  ...hostileRefusals,
  ...hostileCalls,
  ...hostileAnswers,
]

export function hostile(name: string): Hostile {
  const found = hostiles.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no hostile behaviour is called "${name}"`)
  return found
}

export type HostileServer = FakeModelServer & {
  /** Where the server tries to lead its client. It must never be asked. */
  canary: FakeServer
}

const starters = { ollama: startFakeOllama, openai: startFakeOpenAi, anthropic: startFakeAnthropic }

/** A fake that does this at every call. */
export async function startHostile(
  surface: Surface,
  { turn, refusesConnections }: Hostile,
  options: Omit<FakeOptions, 'turns' | 'canaryUrl'> = {},
): Promise<HostileServer> {
  const canary = await startFakeServer((call) => answerWhole(call, 200, '{}'))
  const server = await starters[surface]({ ...options, turns: turn, canaryUrl: canary.url })
  if (refusesConnections === true) server.stopListening()
  return {
    ...server,
    canary,
    close: async () => {
      await server.close()
      await canary.close()
    },
  }
}
