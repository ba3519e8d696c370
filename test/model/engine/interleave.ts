import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, Tx } from '../../../apps/hub/src/kernel/db.ts'
import { MusterError } from '../../../apps/hub/src/kernel/errors.ts'
import type { ModelDatabase } from './database.ts'

/** One of the operations that run at once. The engine may do the work of both in a transaction of one. */
type Operation = { isAnswered: boolean; fault: Fault | undefined; told: () => void; opened: Set<Part> }

/** A transaction, or the beginning of an operation: what waits for its turn. */
type Part = { of: Operation; state: 'going' | 'waiting' | 'blocked'; pid: number; go: () => void }

/** The connection ends before the `at`-th step, or, when that is a commit and `unknown` is set, after it was sent. */
type Fault = { at: number; unknown: boolean; steps: number; struck: boolean }

// A statement that has not come back after this is asked about; most take a fraction of it.
const askAfterMs = 3

// An operation without a transaction, still after so many looks: it waits in the hub for what the other does.
const patience = 8

/**
 * Decides the order of the statements of two operations that run at once, so that a race is part of the program and happens
 * again in its replay. Each statement and each commit waits for its turn; who waits for a lock of the other is known from
 * PostgreSQL and loses its turn until it is free. Outside `together` and `breakingOff` everything just goes through.
 */
export function createInterleaving(database: ModelDatabase) {
  const current = new AsyncLocalStorage<Operation>()

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
      const race = newRace()
      const operations = [race.operation(), race.operation()] as const
      const both = Promise.all([begin(operations[0], first), begin(operations[1], second)])
      let turn = 0
      let left = turns[0] ?? Infinity
      while (await settled(race, operations)) {
        const waiting = operations.flatMap(({ opened }) =>
          [...opened].filter(({ state }) => state === 'waiting'),
        )
        if (left <= 0) {
          turn += 1
          left = turns[turn] ?? Infinity
        }
        const next = waiting.find((part) => part.of === operations[turn % 2]) ?? waiting[0]
        if (next === undefined) continue
        left -= 1
        next.state = 'going'
        next.go()
      }
      return both
    },

    /** Runs it with its connection broken off at this step. Answers whether it came so far. */
    async breakingOff<T>(work: () => Promise<T>, at: { step: number; unknown: boolean }) {
      const fault: Fault = { at: at.step, unknown: at.unknown, steps: 0, struck: false }
      const result = await current.run({ isAnswered: false, fault, told: () => {}, opened: new Set() }, work)
      return { result, struck: fault.struck }
    },
  }

  async function begin<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const part = open(operation)
    await turnOf(part)
    operation.opened.delete(part)
    try {
      return await current.run(operation, work)
    } finally {
      operation.isAnswered = true
      operation.told()
    }
  }

  /** Waits until nothing happens without a turn being given; false when both have ended. */
  async function settled(race: Race, operations: readonly Operation[]): Promise<boolean> {
    for (let asked = 0, quiet = 0; asked < 1_000; asked++) {
      const parts = operations.flatMap(({ opened }) => [...opened])
      if (parts.length === 0 && operations.every(({ isAnswered }) => isAnswered)) return false
      // Between two transactions, or waiting in the hub for the other: only time tells which.
      const isHidden = operations.some(({ isAnswered, opened }) => !isAnswered && opened.size === 0)
      const isStill = parts.every(({ state }) => state !== 'going') && (!isHidden || quiet >= patience)
      if (isStill && quiet > 0 && parts.some(({ state }) => state === 'waiting')) return true
      if (parts.length > 0 && parts.every(({ state }) => state === 'waiting') && !isHidden) return true
      const before = race.changes()
      await Promise.race([race.change(), sleep(askAfterMs)])
      for (const part of parts) if (part.state !== 'waiting') await look(part, race)
      quiet = race.changes() === before ? quiet + 1 : 0
    }
    throw new Error('an operation neither ends nor waits for a lock of the other')
  }

  async function look(part: Part, race: Race): Promise<void> {
    if (part.pid === 0) return
    const before = race.changes()
    const [row] = await database.query<{ blocked: boolean }>(blocked, [part.pid])
    if (race.changes() === before) part.state = row?.blocked === true ? 'blocked' : 'going'
  }

  async function stepped<T>(
    transaction: (work: (tx: Tx) => Promise<T>) => Promise<T>,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const operation = current.getStore()
    if (operation === undefined) return transaction(work)
    const part = open(operation)
    try {
      return await steppedBy(part, transaction, work)
    } finally {
      operation.opened.delete(part)
      operation.told()
    }
  }

  async function steppedBy<T>(
    part: Part,
    transaction: (work: (tx: Tx) => Promise<T>) => Promise<T>,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const after: (() => void)[] = []
    const result = await transaction(async (tx) => {
      after.length = 0
      const [session] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
      part.pid = session?.pid ?? 0
      // One statement at a time, although the engine sends several at once: a session does them in this order.
      let last: Promise<unknown> = Promise.resolve()
      const inTurn = <R>(run: () => Promise<R>): Promise<R> => {
        const mine = last
          .catch(() => {})
          .then(() => step(part))
          .then(run)
        last = mine
        return mine
      }
      const answer = await work({
        query: (statement, values) => inTurn(() => tx.query(statement, values)),
        afterCommit: (run) => after.push(run),
      }).catch(async (error: unknown) => {
        // What it sent at the same time still comes before the rollback.
        for (let seen; seen !== last; await seen.catch(() => {})) seen = last
        throw error
      })
      await step(part)
      return answer
    })
    const { fault } = part.of
    if (fault !== undefined && fault.unknown && fault.steps >= fault.at && !fault.struck) {
      fault.struck = true
      throw new MusterError('database_unavailable', 'The connection ended after the commit was sent.')
    }
    for (const run of after) run()
    return result
  }

  async function step(part: Part): Promise<void> {
    const { fault } = part.of
    if (fault === undefined) return turnOf(part)
    fault.steps += 1
    if (fault.unknown || fault.struck || fault.steps !== fault.at) return
    fault.struck = true
    // Until the session is gone, and with it its locks and whatever it had not committed.
    await database.query(terminate, [part.pid])
    while ((await database.query(isThere, [part.pid])).length > 0) await sleep(1)
  }
}

type Race = ReturnType<typeof newRace>

/** Two operations at once: counts what happens, so that a look at the locks can tell whether it is still true. */
function newRace() {
  let changes = 0
  let wake = () => {}
  const told = () => {
    changes += 1
    wake()
  }
  return {
    changes: () => changes,
    change: () => new Promise<void>((resolve) => (wake = resolve)),
    operation: (): Operation => ({ isAnswered: false, fault: undefined, told, opened: new Set() }),
  }
}

function open(operation: Operation): Part {
  const part: Part = { of: operation, state: 'going', pid: 0, go: () => {} }
  operation.opened.add(part)
  operation.told()
  return part
}

function turnOf(part: Part): Promise<void> {
  return new Promise((resolve) => {
    part.go = resolve
    part.state = 'waiting'
    part.of.told()
  })
}

const blocked = { name: 'blocked', text: 'select cardinality(pg_blocking_pids($1)) > 0 as blocked' }
const terminate = { name: 'terminate', text: 'select pg_terminate_backend($1)' }
const isThere = { name: 'is_there', text: 'select 1 from pg_stat_activity where pid = $1' }
