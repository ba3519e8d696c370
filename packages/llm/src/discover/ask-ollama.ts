import { z } from 'zod'
import type { Answer, Asked, Found } from './ask.ts'
import { fetchJson } from './fetch-json.ts'

const details = z.object({
  parameter_size: z.string().optional(),
  quantization_level: z.string().optional(),
  context_length: z.number().optional(),
})
const tags = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        digest: z.string().optional(),
        remote_host: z.string().optional(),
        details: details.optional(),
        capabilities: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
})
const loaded = z.object({
  models: z.array(z.object({ name: z.string(), size_vram: z.number().optional() })).nullish(),
})
const shown = z.object({
  model_info: z.record(z.string(), z.unknown()).nullish(),
  capabilities: z.array(z.string()).nullish(),
})
const version = z.object({ version: z.string() })

// Enough to be through with a shelf of models within a check; a server loads nothing to answer.
const atOnce = 4

/**
 * What an Ollama has and what of it is loaded. The details of a model are asked for once, as long as its content is the
 * same; what there is no time for is asked at the next check. Nothing is ever pulled.
 */
export async function askOllama({ url, limitMs, known, signal }: Asked): Promise<Answer> {
  const [said, listed, running] = await Promise.all([
    fetchJson(`${url}/api/version`, { limitMs, signal }).then((value) => version.parse(value)),
    fetchJson(`${url}/api/tags`, { limitMs, signal }).then((value) => tags.parse(value)),
    // An old server has no such list; then nothing is known to be warm.
    fetchJson(`${url}/api/ps`, { limitMs, signal }).then(
      (value) => loaded.parse(value),
      () => ({ models: [] }),
    ),
  ])
  const warm = new Map((running.models ?? []).map((model) => [model.name, model.size_vram ?? 0]))
  const found = (listed.models ?? []).map((model): Found => {
    const before = known.find(({ name, digest }) => name === model.name && digest === model.digest)
    return {
      name: model.name,
      digest: model.digest ?? null,
      contextTokens: model.details?.context_length ?? before?.contextTokens ?? null,
      capabilities: model.capabilities ?? before?.capabilities ?? null,
      parameterSize: model.details?.parameter_size || null,
      quantization: model.details?.quantization_level || null,
      warm: warm.has(model.name),
      vramBytes: warm.get(model.name) ?? null,
      remote: (model.remote_host ?? '') !== '',
    }
  })
  return { version: said.version, models: await withDetails(url, limitMs, found) }
}

async function withDetails(url: string, limitMs: number, found: Found[]): Promise<Found[]> {
  const until = performance.now() + limitMs
  const detailed = new Map<string, Found>()
  const waiting = found.filter((model) => model.contextTokens === null || model.capabilities === null)
  const next = async (): Promise<void> => {
    const model = waiting.shift()
    const left = Math.floor(until - performance.now())
    if (model === undefined || left <= 0) return
    detailed.set(model.name, await withShown(url, left, model))
    return next()
  }
  await Promise.all(Array.from({ length: atOnce }, next))
  return found.map((model) => detailed.get(model.name) ?? model)
}

async function withShown(url: string, limitMs: number, model: Found): Promise<Found> {
  try {
    const { model_info: info, capabilities } = shown.parse(
      await fetchJson(`${url}/api/show`, { limitMs, body: { model: model.name } }),
    )
    const context = Object.entries(info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1]
    return {
      ...model,
      contextTokens: model.contextTokens ?? (typeof context === 'number' ? context : null),
      capabilities: model.capabilities ?? capabilities ?? null,
    }
  } catch {
    // One model that cannot be described must not hide the others; it stays as little known as it is.
    return model
  }
}
