import { p } from '../main-job/report.ts'
import type { Values } from './measure.ts'

/** What one round of one queue gave. Rounds are interleaved: every queue is measured once before any is again. */
export type Sample = { round: number; engine: string; values: Values }

export function median(values: readonly number[]): number {
  return p(values, 50)
}

export function valuesOf(samples: readonly Sample[], engine: string, name: string): number[] {
  return samples.flatMap((sample) =>
    sample.engine === engine && sample.values[name] !== undefined ? [sample.values[name]] : [],
  )
}

/** Columns of all samples in the order in which they were first seen. */
export function columnsOf(samples: readonly Sample[]): string[] {
  return [...new Set(samples.flatMap((sample) => Object.keys(sample.values)))]
}

export type Ratio = { median: number; min: number; max: number; rounds: number }

/** Of two queues within one round, so that what else the machine did meanwhile touched both. */
export function ratioOf(
  samples: readonly Sample[],
  name: string,
  one: string,
  other: string,
): Ratio | undefined {
  const ratios = [...new Set(samples.map((sample) => sample.round))].flatMap((round) => {
    const of = (engine: string) =>
      valuesOf(
        samples.filter((sample) => sample.round === round),
        engine,
        name,
      )[0]
    const [a, b] = [of(one), of(other)]
    return a === undefined || b === undefined ? [] : [a / b]
  })
  if (ratios.length === 0) return undefined
  return {
    median: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    rounds: ratios.length,
  }
}

export function shown(ratio: Ratio | undefined): string {
  if (ratio === undefined) return 'not measured'
  const [median, min, max] = [ratio.median, ratio.min, ratio.max].map((value) => value.toFixed(2))
  return `${median} [${min}-${max}]`
}
