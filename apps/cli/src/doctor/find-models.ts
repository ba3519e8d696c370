import { z } from 'zod'

const tags = z.object({ models: z.array(z.object({ name: z.string() })).default([]) })

export type Models = { url: string; names: string[] } | { url: string; unreachable: string }

/** Asks an Ollama what it has. It may be absent: then this costs 2 s at most. */
export async function findModels(url: string): Promise<Models> {
  try {
    const response = await fetch(`${url}/api/tags`, { signal: AbortSignal.timeout(2_000) })
    if (!response.ok) return { url, unreachable: `answered ${response.status}` }
    return { url, names: tags.parse(await response.json()).models.map((model) => model.name) }
  } catch (error) {
    const timeout = error instanceof Error && error.name === 'TimeoutError'
    return { url, unreachable: timeout ? 'no answer within 2 s' : 'nothing answers' }
  }
}
