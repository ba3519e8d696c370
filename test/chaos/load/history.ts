import { appendFileSync } from 'node:fs'
import { instant } from '../clock.ts'

/** What a client was told, in its own words; the checker holds the database to it. */
export type Told =
  | { what: 'created'; key: string; id: string; repeat: boolean }
  | { what: 'cancelled'; id: string }
  /** An answer that no fault excuses: a 500, a 5xx that does not say when to try again, a refusal of a good request. */
  | { what: 'wrong_answer'; of: string; status: number; text: string }
  /** After the fault had healed the client went on trying for as long as it may take, and was not answered. */
  | { what: 'never_answered'; of: string }

/** One line per answer, on disk at once: the record of a run that its own database cannot rewrite. */
export function openHistory(path: string) {
  const told: (Told & { at: number })[] = []
  return {
    note(entry: Told): void {
      const line = { at: instant(), ...entry }
      told.push(line)
      appendFileSync(path, `${JSON.stringify(line)}\n`)
    },
    /** What was told since the last time this was asked. */
    take: (): Told[] => told.splice(0),
  }
}
export type History = ReturnType<typeof openHistory>
