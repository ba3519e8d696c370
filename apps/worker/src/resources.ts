import { execFile } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'
import type { Resources } from '@muster/contract/workers'

const run = promisify(execFile)

/** How this machine does (LLM-14): processor since the last look, memory, and that of graphics cards of one maker. */
export function watchResources(path: string): () => Promise<Resources> {
  const busy = createCpuMeter(cpus)
  let hasCards = true
  return async () => {
    const cards = hasCards ? await graphicsMemory(path) : 'none'
    // A card is not put in while a machine runs.
    hasCards = cards !== 'none'
    const total = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
    return {
      cpuPercent: busy(),
      cores: availableParallelism(),
      ramTotalBytes: total,
      ramFreeBytes: Math.min(process.availableMemory(), total),
      ...(typeof cards === 'string' ? { vramTotalBytes: null, vramFreeBytes: null } : cards),
    }
  }
}

type Times = { times: Record<string, number> }[]

/** Busy time of all cores together between one call and the next, in percent; 0 where no time has passed. */
export function createCpuMeter(read: () => Times): () => number {
  const sums = () => {
    const all = read().flatMap(({ times }) => Object.entries(times))
    const idle = all.reduce((sum, [name, ms]) => sum + (name === 'idle' ? ms : 0), 0)
    return { idle, all: all.reduce((sum, [, ms]) => sum + ms, 0) }
  }
  let before = sums()
  return () => {
    const now = sums()
    const passed = now.all - before.all
    const share = passed <= 0 ? 0 : 1 - (now.idle - before.idle) / passed
    before = now
    return Math.round(Math.min(Math.max(share, 0), 1) * 1_000) / 10
  }
}

type Memory = { vramTotalBytes: number; vramFreeBytes: number }

async function graphicsMemory(path: string): Promise<Memory | 'none' | 'silent'> {
  try {
    const words = ['--query-gpu=memory.total,memory.free', '--format=csv,noheader,nounits']
    const { stdout } = await run('nvidia-smi', words, { timeout: 3_000, env: { PATH: path } })
    return readGraphicsMemory(stdout) ?? 'silent'
  } catch (error) {
    return (error as { code?: unknown }).code === 'ENOENT' ? 'none' : 'silent'
  }
}

/** One line for each card, in MiB: total, free. */
export function readGraphicsMemory(text: string): Memory | undefined {
  const cards = [...text.matchAll(/^\s*(\d+)\s*,\s*(\d+)\s*$/gm)]
  if (cards.length === 0) return undefined
  const sum = (column: 1 | 2) => cards.reduce((all, card) => all + Number(card[column]), 0) * 2 ** 20
  return { vramTotalBytes: sum(1), vramFreeBytes: sum(2) }
}
