import { appendFileSync, readFileSync } from 'node:fs'
import { instant } from '../clock.ts'

/** What a run did to the world outside the database, told by the worker that did it. */
export type Effect = {
  at: number
  worker: string
  taskId: string
  epoch: number
  runId: string
  what: 'began' | 'published' | 'ended' | 'stopped'
  commit?: string
}

/** One line per effect, written before the next step of the run, so that a kill -9 loses nothing that was done. */
export function effectsOf(path: string) {
  return {
    note: (effect: Omit<Effect, 'at'>) =>
      appendFileSync(path, `${JSON.stringify({ at: instant(), ...effect })}\n`),
  }
}
export type Effects = ReturnType<typeof effectsOf>

/** A last line that a kill cut off is left out: its effect did not happen either. */
export function readEffects(path: string): Effect[] {
  const lines = readFileSync(path, { encoding: 'utf8', flag: 'a+' }).split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Effect)
}
