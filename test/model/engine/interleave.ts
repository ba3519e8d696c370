import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, Tx } from '../../../apps/hub/src/kernel/db.ts'
import { MusterError } from '../../../apps/hub/src/kernel/errors.ts'
import type { HubDatabase } from '../../../apps/hub/test-support/database.ts'

/** Something that is being done to the engine while we decide which of its statements comes when. */
type Thread = {
  /** Its session of the database while a transaction is open. */
  pid: number
  state: 'going' | 'waiting for its turn' | 'blocked' | 'finished'
  /** Lets the statement through that waits for its turn. */
  go: () => void
  fault: Fault | undefined
}

/** The connection ends before the `at`-th step, or, when that is a commit and `unknown` is set, after it was sent. */
type Fault = { at: number; unknown: boolean; steps: number; struck: boolean }

// A statement that has not come back after this is asked about; most take a fraction of it.
const askAfterMs = 3

/**
 * Decides the order of the statements of two operations that run at once, so that a race is part of the program and happens
 * again in its replay. Each statement and each commit waits for its turn; who waits for a lock of the other is known from
 * PostgreSQL and loses its turn until it is free. Outside `together` and `breakingOff` everything just goes through.
 */
export function createInterleaving(database: HubDatabase) {
  const current = new AsyncLocalStorage<Thread>()
  let changes = 0
  let wake = () => {}
  const set = (thread: Thread, state: Thread['state']) => {
    thread.state = state
    changes += 1
    wake()
  }

  return {
    around(db: Db): Db {
      return {
        ...db,
        inWorkspace: (workspaceId, work) => stepped((within) => db.inWorkspace(workspaceId, within), work),
        asSystem: (work) => stepped((within) => db.asSystem(within), work),
      }
    },

    /**
     * Runs both. `turns` says how many steps each goes before the other has its turn, beginning with the first; when it is
     * used up they go one after the other.
     */
    async together<T>(first: () => Promise<T>, second: () => Promise<T>, turns: number[]): Promise<[T, T]> {
      const threads = [newThread(undefined), newThread(undefined)] as const
      const both = Promise.all([begin(threads[0], first), begin(threads[1], second)])
      let turn = 0
      let left = turns[0] ?? Infinity
      while (threads.some((thread) => thread.state !== 'finished')) {
        await settle(threads)
        const waiting = threads.filter((thread) => thread.state === 'waiting for its turn')
        if (left <= 0) {
          turn += 1
          left = turns[turn] ?? Infinity
        }
        const mine = threads[turn % 2] as Thread
        const next = waiting.includes(mine) ? mine : waiting[0]
        if (next === undefined) continue
        left -= 1
        set(next, 'going')
        next.go()
      }
      return both
    },

    /** Runs it with its connection broken off at this step. Answers whether it came so far. */
    async breakingOff<T>(work: () => Promise<T>, at: { step: number; unknown: boolean }) {
      const fault: Fault = { at: at.step, unknown: at.unknown, steps: 0, struck: false }
      const result = await current.run(newThread(fault), work)
      return { result, struck: fault.struck }
    },
  }

  function begin<T>(thread: Thread, work: () => Promise<T>): Promise<T> {
    return current.run(thread, async () => {
      await turnOf(thread)
      try {
        return await work()
      } finally {
        set(thread, 'finished')
      }
    })
  }

  function turnOf(thread: Thread): Promise<void> {
    return new Promise((resolve) => {
      thread.go = resolve
      set(thread, 'waiting for its turn')
    })
  }

  /** Until each waits for its turn, has finished, or waits for a lock that only the other's turn can free. */
  async function settle(threads: readonly Thread[]): Promise<void> {
    const isGoing = (thread: Thread) => thread.state === 'going' || thread.state === 'blocked'
    for (let asked = 0; threads.some(isGoing); asked++) {
      const changed = new Promise<void>((resolve) => (wake = resolve))
      await Promise.race([changed, sleep(askAfterMs)])
      const before = changes
      for (const thread of threads.filter(isGoing)) {
        const isBlocked = thread.pid !== 0 && (await waitsForLock(thread.pid))
        if (changes === before) thread.state = isBlocked ? 'blocked' : 'going'
      }
      if (changes !== before || threads.some((thread) => thread.state === 'going')) continue
      if (threads.some((thread) => thread.state === 'waiting for its turn')) return
      if (asked > 700) throw new Error('an operation neither ends nor waits for a lock of the other')
    }
  }

  async function waitsForLock(pid: number): Promise<boolean> {
    const [row] = await database.sql<{ blocked: boolean }>(
      'select cardinality(pg_blocking_pids($1)) > 0 as blocked',
      [pid],
    )
    return row?.blocked ?? false
  }

  async function stepped<T>(
    transaction: (work: (tx: Tx) => Promise<T>) => Promise<T>,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const thread = current.getStore()
    if (thread === undefined) return transaction(work)
    const after: (() => void)[] = []
    const result = await transaction(async (tx) => {
      after.length = 0
      const [session] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
      const pid = session?.pid ?? 0
      const answer = await work({
        async query(statement, values) {
          await step(thread, pid)
          return tx.query(statement, values)
        },
        afterCommit: (run) => after.push(run),
      })
      await step(thread, pid)
      return answer
    })
    thread.pid = 0
    if (
      thread.fault !== undefined &&
      thread.fault.unknown &&
      thread.fault.steps >= thread.fault.at &&
      !thread.fault.struck
    ) {
      thread.fault.struck = true
      throw new MusterError('database_unavailable', 'The connection ended after the commit was sent.')
    }
    for (const run of after) run()
    return result
  }

  async function step(thread: Thread, pid: number): Promise<void> {
    thread.pid = pid
    const { fault } = thread
    if (fault === undefined) return turnOf(thread)
    fault.steps += 1
    if (fault.unknown || fault.struck || fault.steps !== fault.at) return
    fault.struck = true
    // The wait: until the session is gone, and with it its locks and whatever it had not committed.
    await database.sql('select pg_terminate_backend($1, 5000)', [pid])
  }
}

function newThread(fault: Fault | undefined): Thread {
  return { pid: 0, state: 'going', go: () => {}, fault }
}
