import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { withClient } from '@muster/testkit/databases'
import { eventually } from '@muster/testkit/eventually'
import { databaseUrl, type Pids, type Stack } from './stack.ts'

export const victims = ['worker', 'hub', 'database'] as const
export type Victim = (typeof victims)[number]

/** Where a task is when the fault comes, and what holds it there long enough to be hit. */
export const moments = [
  'idle',
  'assigned',
  'preparing',
  'running',
  'carrying_out',
  'verifying',
  'publishing',
  'finishing',
] as const
export type Moment = (typeof moments)[number]

/** The same numbers for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = items.map((item) => ({ item, at: random() }))
  return all.toSorted((a, b) => a.at - b.at).map(({ item }) => item)
}

/** Stops a process where it is until the answered function is called; what waits for it then waits as long as wanted. */
export function freeze(pid: number): () => void {
  process.kill(pid, 'SIGSTOP')
  return () => {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It was the victim.
    }
  }
}

/** Waits until the task has entered the phase, asking as often as one connection allows. */
export async function untilPhase(stack: Stack, taskId: string, phase: string): Promise<void> {
  const text = `select 1 from muster.events where task_id = $1 and kind = 'task.phase' and data ->> 'phase' = $2`
  await untilRow(stack, text, [taskId, phase], phase)
}

export async function untilRow(stack: Stack, text: string, params: unknown[], what: string): Promise<void> {
  await withClient(await databaseUrl(stack.data), (client) =>
    eventually(async () => (await client.query(text, params)).rowCount !== 0, {
      timeoutMs: 60_000,
      everyMs: 3,
      what,
    }),
  )
}

/**
 * Freezes the hub between the push of a run's branch and the message that says how the run ended, so that the worker has
 * written its result down and nobody has heard of it. Answers the way back.
 */
export async function freezeBeforeFinish(stack: Stack, branch: string): Promise<() => void> {
  const { hub } = await stack.pids()
  await eventually(() => existsSync(branch), { timeoutMs: 60_000, everyMs: 1, what: `${branch} is there` })
  const thaw = freeze(hub)
  // When the message was quicker there is nothing left to wait for, and the round finds its task elsewhere.
  await eventually(() => hasWrittenDown(stack), { timeoutMs: 3_000, everyMs: 5 }).catch(() => {})
  return thaw
}

async function hasWrittenDown(stack: Stack): Promise<boolean> {
  const journal = join(stack.data, 'worker/journal')
  const names = (await readdir(journal)).filter((name) => name.endsWith('.json'))
  const texts = await Promise.all(names.map((name) => readFile(join(journal, name), 'utf8')))
  return texts.some((text) => (JSON.parse(text) as { result: unknown }).result !== null)
}

/** Kills it and waits until `up` has another one that serves. Answers when it was killed. */
export async function killAndAwait(stack: Stack, victim: Victim): Promise<Date> {
  const before = await stack.pids()
  process.kill(before[victim], 'SIGKILL')
  const at = new Date()
  await untilBack(stack, before, victim)
  return at
}

export async function untilBack(stack: Stack, before: Pids, victim: Victim): Promise<void> {
  await eventually(async () => (await stack.pids())[victim] !== before[victim], {
    timeoutMs: 60_000,
    what: `another ${victim} runs`,
  })
  await eventually(
    async () => {
      const ready = await fetch(`${stack.url}/ready`, { signal: AbortSignal.timeout(2_000) })
      return ready.ok
    },
    { timeoutMs: 60_000, everyMs: 50, what: 'the hub serves again' },
  )
}
