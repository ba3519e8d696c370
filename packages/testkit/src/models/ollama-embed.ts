import { createHash } from 'node:crypto'
import type { Refusal } from './ollama-chat-refusals.ts'

type EmbedBody = { input?: unknown; truncate?: boolean; dimensions?: number }

/** The same text has the same vector, of length 1; texts that share words are nearer to each other. */
export function embed(
  { input, truncate = true, dimensions }: EmbedBody,
  model: { contextLength: number; embeddingLength: number },
): Refusal | { embeddings: number[][]; tokens: number } {
  const inputs =
    input === undefined || input === '' ? [] : Array.isArray(input) ? (input as unknown[]) : [input]
  const texts = inputs.filter((text) => typeof text === 'string')
  if (texts.length < inputs.length) return { status: 400, error: 'invalid input type' }
  const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
  if (!truncate && tokens > model.contextLength) {
    return { status: 400, error: 'the input length exceeds the context length' }
  }
  const size = dimensions ?? model.embeddingLength
  return { embeddings: texts.map((text) => vector(text, size)), tokens }
}

export function vector(text: string, size: number): number[] {
  const sum = Array.from({ length: size }, () => 0)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
    const bytes = createHash('sha512').update(word).digest()
    for (let i = 0; i < bytes.length; i += 2) {
      const at = bytes.readUInt16BE(i) % size
      sum[at] = (sum[at] ?? 0) + ((bytes[i] ?? 0) % 2 === 0 ? 1 : -1)
    }
  }
  const length = Math.hypot(...sum)
  // Words of which nothing is left would make a vector without a direction.
  if (length === 0) return sum.map((_, i) => (i === 0 ? 1 : 0))
  return sum.map((value) => Math.fround(value / length))
}
