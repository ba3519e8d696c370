import { createAnthropic } from '@ai-sdk/anthropic'
import { createEventStreamFetch } from './event-stream.ts'
import type { HttpPlace } from './place.ts'
import { createSdkWire } from './sdk-wire.ts'
import type { Wire } from './wire.ts'

export function createAnthropicWire({ baseUrl, name, apiKey, headers }: HttpPlace): Wire {
  const provider = createAnthropic({
    baseURL: baseUrl.href,
    // Said even when there is none: the SDK would take one from the environment and send it to whatever address this is.
    apiKey: apiKey ?? '',
    headers,
    fetch: createEventStreamFetch(),
  })
  // A conversation is asked again with each step; what was read before costs a tenth.
  return createSdkWire(provider.messages(name), { anthropic: { cacheControl: { type: 'ephemeral' } } })
}
