import type { Tier } from '@muster/contract/task-states'

/** Billions of parameters, from what a server writes: `7.6B`, `137M`, `8x7B`, or a name such as `qwen3:8b`. */
export function billionsOf(size: string | null, name: string): number | null {
  return read(size ?? '') ?? read(/[:_-](\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)?[bm])\b/i.exec(name)?.[1] ?? '')
}

function read(size: string): number | null {
  const [, times, count, unit] = /^\s*(?:(\d+)x)?(\d+(?:\.\d+)?)\s*([BMK])\s*$/i.exec(size) ?? []
  if (count === undefined || unit === undefined) return null
  const per = { b: 1, m: 1e-3, k: 1e-6 }[unit.toLowerCase()] ?? 1
  return Number(times ?? 1) * Number(count) * per
}

/**
 * Which tasks a model is for when nobody said it: below 4 billion parameters the trivial ones, from 30 on and in a cloud
 * the complex ones. One whose size is not known is taken for a usual one.
 */
export function tierBySize(billions: number | null, cloud: boolean): Tier {
  if (cloud) return 'complex'
  if (billions === null) return 'standard'
  if (billions < 4) return 'trivial'
  return billions < 30 ? 'standard' : 'complex'
}

/** `qwen3` and `qwen3:latest` are one, as Ollama has it. */
export function sameModel(a: string, b: string): boolean {
  return full(a) === full(b)
}

function full(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).includes(':') ? name : `${name}:latest`
}
