import type { Db } from '../../apps/hub/src/kernel/db.ts'
import { workers, type ModelDatabase } from './engine/database.ts'
import { maxRunning, openEngine, type Around, type Engine, type Seen, type Sent } from './engine/engine.ts'
import type { createInterleaving } from './engine/interleave.ts'
import { readStored, type Stored } from './engine/stored.ts'
import { agree } from './expected/agree.ts'
import { apply, type Witness } from './expected/apply.ts'
import { messagesSent } from './expected/rounds.ts'
import { at, Mismatch, type Expected } from './expected/state.ts'
import { stepViolations, violations } from './invariants.ts'
import { told, type Operation } from './operations.ts'

/** What programs run on; one for a test file, because connections and databases cost more than a program. */
export type Ground = {
  database: ModelDatabase
  dbs: Db[]
  interleaving: ReturnType<typeof createInterleaving>
}

/** The engine did what it must not do. */
export class Violation extends Error {}

export type Setup = { hubs: number; workers: number }

/**
 * One program against one fresh engine: after each operation the answer, everything that is stored and the invariants are
 * looked at. `log` says what was done and answered, without any name that differs from replay to replay.
 */
export async function startProgram(ground: Ground, setup: Setup, around: Around) {
  const { database, interleaving } = ground
  await database.empty()
  const dbs = ground.dbs.slice(0, setup.hubs).map((db) => interleaving.around(db))
  const engine: Engine = await openEngine({ database, dbs, around })
  const log: string[] = []
  const acknowledged = new Set<string>()
  let shift = 0
  let expected = nothingYet(setup)
  let stored = shifted(await readStored(database), shift)
  const names = {
    task: (task: number) => at(expected.tasks, task).id,
    run: (run: number) => at(expected.runs, run).id,
  }
  const perform = async (operation: Operation): Promise<Seen> => {
    const seen = await engine.perform(operation, names)
    if (seen.task !== undefined) acknowledged.add(seen.task)
    return seen
  }

  return {
    log,
    close: engine.close,
    expected: () => expected,

    async alone(operation: Operation): Promise<void> {
      const seen = await perform(operation)
      if (operation.do === 'time') shift += operation.ms
      note(`${told(operation)} → ${seen.code}`)
      await judge([{ what: '', happened: [{ operation, seen }] }], true)
    },

    /** Both at once, their statements in this order. Must look as if one had come after the other. */
    async together(operations: [Operation, Operation], turns: number[]): Promise<void> {
      const [first, second] = operations
      const seen = await interleaving.together(
        () => perform(first),
        () => perform(second),
        turns,
      )
      const [a, b] = [
        { operation: first, seen: seen[0] },
        { operation: second, seen: seen[1] },
      ]
      note(`${told(first)} → ${a.seen.code} with ${told(second)} → ${b.seen.code} in turns ${turns}`)
      await judge(
        [
          { what: 'first before second', happened: [a, b] },
          { what: 'second before first', happened: [b, a] },
        ],
        false,
      )
    },

    /**
     * The connection ends in the middle, or the commit's answer never comes. Then the caller does what it does after that: a
     * worker comes back, says what it holds, and repeats what was not answered; everybody else just repeats it.
     */
    async brokenOff(operation: Operation, fault: { step: number; unknown: boolean }): Promise<void> {
      const { result: seen, struck } = await interleaving.breakingOff(() => perform(operation), fault)
      const when = `${fault.unknown ? 'its commit unanswered' : 'broken off'} at step ${fault.step}`
      note(`${told(operation)} → ${seen.code} ${struck ? when : 'whole'}`)
      if (!struck) return judge([{ what: '', happened: [{ operation, seen }] }], true)
      if (seen.code !== 'database_unavailable')
        throw violation([`answered ${seen.code} although its connection ended`])
      const anyway = { operation, seen: { code: 'unknown' } }
      await judge(
        [
          { what: 'not done', happened: [] },
          { what: 'done', happened: [anyway] },
        ],
        false,
      )
      await this.comeBack(operation)
      await this.alone(operation)
    },

    /** A hub closes the socket of a worker whose message it could not answer; the worker connects again. */
    async comeBack(operation: Operation): Promise<void> {
      if (operation.do !== 'say' && operation.do !== 'renew') return
      const { hub, worker } = operation
      const line = at(expected.workers, worker).lines[hub]
      await this.alone({ do: 'leave', hub, worker })
      const holding = (operation.do === 'renew' ? operation.leases : [operation.lease]).map((lease) => ({
        ...lease,
        phase:
          operation.do === 'say' && operation.message.type === 'finish'
            ? ('finished' as const)
            : ('running' as const),
      }))
      await this.alone({
        do: 'hello',
        hub,
        worker,
        copy: false,
        slots: line?.slots ?? 1,
        wall: line?.wall ?? true,
        holding,
      })
    },
  }

  function note(line: string): void {
    log.push(line)
  }

  /** Finds an account of what happened that fits what was seen and stored, and goes on from it; none is a violation. */
  async function judge(
    accounts: { what: string; happened: { operation: Operation; seen: Seen }[] }[],
    alone: boolean,
  ): Promise<void> {
    const before = stored
    stored = shifted(await readStored(database), shift)
    const sent = engine.sent.splice(0)
    const wrong: string[] = []
    let fitting: Expected | undefined
    for (const { what, happened } of accounts) {
      const account: Expected = { ...structuredClone(expected), told: [] }
      const isTwoRounds =
        happened.length === 2 && happened.every(({ operation }) => operation.do === 'dispatch')
      try {
        for (const { operation, seen } of happened) {
          const window = { from: before.now, to: stored.now }
          const isUnknown = seen.code === 'unknown'
          const isOwn = (runId: string) =>
            !isTwoRounds || operation.do !== 'dispatch' || sentBy(sent, runId) === operation.hub
          const witness: Witness = {
            seen,
            stored,
            window,
            before: expected,
            alone: alone && !isUnknown,
            isOwn,
          }
          apply(account, operation, witness)
        }
        const isWhole = happened.every(({ seen }) => seen.code === 'ok')
        messagesSent(account, sent, isWhole)
        const differences = agree(account, stored)
        if (differences.length === 0) {
          fitting = account
          break
        }
        wrong.push(`${what === '' ? '' : `${what}: `}${differences.join('\n    ')}`)
      } catch (error) {
        if (!(error instanceof Mismatch)) throw error
        wrong.push(`${what === '' ? '' : `${what}: `}${error.message}`)
      }
    }
    const broken = [...violations(stored, acknowledged, { maxRunning }), ...stepViolations(before, stored)]
    if (fitting === undefined || broken.length > 0)
      throw violation([...broken, ...(fitting === undefined ? wrong : [])])
    expected = fitting
  }

  function violation(what: string[]): Violation {
    return new Violation(`${what.join('\n    ')}\n  after\n    ${log.join('\n    ')}`)
  }
}

export type Program = Awaited<ReturnType<typeof startProgram>>

function nothingYet(setup: Setup): Expected {
  return {
    tasks: [],
    runs: [],
    hubs: setup.hubs,
    keys: {},
    told: [],
    untold: [],
    workers: workers.slice(0, setup.workers).map(({ name, ws, id }) => ({
      ws,
      id,
      name,
      hub: null,
      instance: null,
      seen: null,
      lines: Array.from({ length: setup.hubs }, () => null),
      events: [],
    })),
  }
}

const sentBy = (sent: Sent[], runId: string) =>
  sent.find(({ message }) => message.type === 'assign' && message.assignment.runId === runId)?.hub

const times = ['enqueued', 'notBefore', 'assigned', 'accepted', 'expires', 'deadline', 'progress', 'seen']

/** In the program's time: what `time` let pass was taken off what is stored, and is put back here. */
function shifted(stored: Stored, ms: number): Stored {
  const shiftRow = <Row extends object>(row: Row): Row =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        times.includes(name) && typeof value === 'number' ? value + ms : value,
      ]),
    ) as Row
  return {
    ...stored,
    now: stored.now + ms,
    queue: stored.queue.map(shiftRow),
    workers: stored.workers.map(shiftRow),
  }
}
