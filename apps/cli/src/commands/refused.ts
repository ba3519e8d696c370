import { z } from 'zod'

const refusing = z.object({ refuses: z.string(), message: z.string() })

/** Why the hub takes no new task although it serves; undefined when it takes them, or does not say. */
export async function whatIsRefused(origin: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${origin}/ready`, { signal: AbortSignal.timeout(5_000) })
    return refusing.safeParse(await answer.json()).data?.message
  } catch {
    return undefined
  }
}
