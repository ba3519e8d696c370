import { startToolServer, type Reply, type ServerOptions, type ToolServer } from './tool-server.ts'
import { ToolsUnavailable } from './tools-unavailable.ts'

/** A command may end the server once by accident; an agent that does it again and again has no tools any more. */
const maxDeaths = 3

/** A tool server that is started anew when it ended, within the same time and a bound of deaths. */
export async function openLastingServer({ wall, lifeMs, env }: ServerOptions) {
  const until = performance.now() + lifeMs
  let deaths = 0
  let closed = false

  const start = (): Promise<ToolServer> => {
    const left = Math.max(1, Math.ceil(until - performance.now()))
    const started = startToolServer({ wall, lifeMs: left, env })
    // Whoever asks next hears of it.
    started.catch(() => undefined)
    return started
  }
  let server: Promise<ToolServer> | undefined = start()
  await server

  return {
    async ask(operation: string, args: object, limitMs: number, signal?: AbortSignal): Promise<Reply> {
      if (closed) throw new ToolsUnavailable('the tools were closed')
      signal?.throwIfAborted()
      server ??= start()
      const current = await server
      const reply = await current.ask(operation, args, limitMs, signal)
      if (reply.kind === 'answer') return reply
      // The next call starts another; there may be none.
      server = undefined
      await current.close()
      signal?.throwIfAborted()
      deaths += 1
      if (deaths >= maxDeaths) throw new ToolsUnavailable(`the tools ended ${deaths} times: ${reply.why}`)
      return reply
    },
    async close(): Promise<void> {
      closed = true
      await server?.then(
        (each) => each.close(),
        () => undefined,
      )
    },
  }
}
