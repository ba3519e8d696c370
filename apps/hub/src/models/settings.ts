import type { EndpointKind } from '@muster/contract/models'

/** What the environment of the hub says about models. Keys are in here, in memory, and nowhere else. */
export type ModelSettings = {
  ollamaUrl: string
  openai: Cloud | null
  anthropic: Cloud | null
  /** Preferred where several would do; null: none is. */
  model: string | null
  /** How long a task waits for its own tier before the next one is tried. */
  waitMs: number
}
type Cloud = { url: string; key: string }

export const noClouds: ModelSettings = {
  ollamaUrl: 'http://127.0.0.1:11434',
  openai: null,
  anthropic: null,
  model: null,
  waitMs: 5_000,
}

/**
 * The key for an endpoint. It goes to the address that the settings name and to no other: else whoever may add an
 * endpoint could have it sent to himself.
 */
export function keyFor(settings: ModelSettings, at: { kind: EndpointKind; url: string }): string | null {
  if (at.kind === 'ollama') return null
  const cloud = settings[at.kind]
  return cloud !== null && cloud.url === at.url ? cloud.key : null
}
