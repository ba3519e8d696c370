import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4Usage } from '@ai-sdk/provider'
import type { ModelRequest } from '../model.ts'
import { KnownFailure } from './faults.ts'
import { toPrompt } from './sdk-prompt.ts'
import type { Wire, WireCounts, WirePart } from './wire.ts'

type Stream = Awaited<ReturnType<LanguageModelV4['doStream']>>['stream']
type StreamPart = Stream extends ReadableStream<infer Part> ? Part : never
type FinishReason = Extract<StreamPart, { type: 'finish' }>['finishReason']

/** One request of a provider of the AI SDK, below its steps, retries and executed tools. */
export function createSdkWire(
  model: LanguageModelV4,
  providerOptions: NonNullable<LanguageModelV4CallOptions['providerOptions']> = {},
): Wire {
  return async function* sdk(request, signal) {
    const { stream } = await model.doStream({ ...callOptions(request), abortSignal: signal, providerOptions })
    for await (const part of stream) {
      const read = readPart(part)
      if (read) yield read
    }
  }
}

function callOptions(request: ModelRequest): LanguageModelV4CallOptions {
  return {
    prompt: toPrompt(request.messages),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(({ name, description, parameters }) => ({
        type: 'function',
        name,
        description,
        inputSchema: parameters,
      })),
    }),
    ...(request.maxOutputTokens !== undefined && { maxOutputTokens: request.maxOutputTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.json && { responseFormat: { type: 'json', schema: request.json, name: 'answer' } }),
  }
}

function readPart(part: StreamPart): WirePart | undefined {
  switch (part.type) {
    case 'text-delta':
      return { type: 'text', text: part.delta }
    case 'reasoning-delta':
      return { type: 'thinking', text: part.delta }
    case 'tool-input-start':
      return { type: 'alive' }
    case 'tool-input-delta':
      return part.delta === '' ? undefined : { type: 'alive' }
    case 'tool-call':
      return { type: 'call', id: part.toolCallId, name: part.toolName, args: part.input }
    case 'error':
      throw part.error
    case 'finish':
      return { type: 'finish', why: whyOf(part.finishReason), counts: countsOf(part.usage) }
    default:
      return undefined
  }
}

/** Reasons that nobody knows (`eos`, `other`) are still the server's word that it has finished. */
function whyOf(reason: FinishReason): 'stop' | 'length' | 'refused' {
  switch (reason.unified) {
    case 'length':
      return 'length'
    case 'content-filter':
      return 'refused'
    case 'error':
    case 'interrupted':
      throw new KnownFailure('cut_off', 'The answer stopped before its end.')
    default:
      return 'stop'
  }
}

function countsOf({ inputTokens, outputTokens }: LanguageModelV4Usage): WireCounts {
  return {
    ...counted('input', inputTokens.total),
    ...counted('output', outputTokens.total),
    ...counted('cacheRead', inputTokens.cacheRead),
    ...counted('cacheWrite', inputTokens.cacheWrite),
  }
}

/** The SDK says 0 of what the server did not say. No prompt and no answer is that short. */
const counted = (name: keyof WireCounts, value: number | undefined): WireCounts =>
  value === undefined || value === 0 ? {} : { [name]: value }
