import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { readFirst } from '../check/story.ts'
import type { Database } from './database.ts'

export type Reader = ReturnType<typeof createReader>

/** Reads the database beside all proxies, over its restarts. */
export function createReader(database: Database) {
  let open: Client | undefined
  const ask = async <T>(question: (client: Client) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        open ??= await database.reader()
        return await question(open)
      } catch (error) {
        await open?.end().catch(() => {})
        open = undefined
        if (attempt === 50) throw error
        await sleep(200)
      }
    }
  }
  return {
    ask,
    /** When the first task after that instant was done; undefined when none was within the limit. */
    async firstDone(after: number, limitMs: number): Promise<number | undefined> {
      const until = performance.now() + limitMs
      while (performance.now() < until) {
        const first = await ask((client) => readFirst(client, 'task.done', after))
        if (first !== undefined) return first
        await sleep(30)
      }
      return undefined
    },
    close: async () => void (await open?.end().catch(() => {})),
  }
}
