import type { Tier } from '@muster/contract/task-states'

export type Described = {
  title: string
  description?: string | undefined
  prompt?: string | undefined
  fileHints: readonly string[]
  checks: readonly unknown[]
}

const complexWords =
  /\b(architect\w*|refactor\w*|migrat\w*|redesign\w*|concurren\w*|security|distributed|rewrite)\b/i
const trivialWords = /\b(typo|rename|bump|reformat|licen[cs]e|comment|whitespace)\b/i

/**
 * What the words of a task suggest about its size (QUEUE-12): length of the text (up to 10 words, up to 50, more),
 * files named (none, up to 3, more), checks (none, up to 3, more), and words that give it away. Each says 0, 1 or 2;
 * the sum decides. A guess that costs nothing, for choosing a deadline and a model; an explicit tier wins over it.
 */
export function guessTier(task: Described): Tier {
  const text = [task.title, task.description ?? '', task.prompt ?? ''].join(' ')
  const words = text.split(/\s+/).filter(Boolean).length
  const score =
    step(words, 10, 50) + step(task.fileHints.length, 0, 3) + step(task.checks.length, 0, 3) + hintOf(text)
  if (score <= 1) return 'trivial'
  return score <= 4 ? 'standard' : 'complex'
}

function step(value: number, low: number, high: number): 0 | 1 | 2 {
  if (value <= low) return 0
  return value <= high ? 1 : 2
}

function hintOf(text: string): number {
  if (complexWords.test(text)) return 3
  return trivialWords.test(text) ? -1 : 0
}
