import type { Db, Statement, Tx } from '../../../apps/hub/src/kernel/db.ts'
import { codeOf } from '../../../apps/hub/src/kernel/errors.ts'
import type { Events } from '../../../apps/hub/src/kernel/events.ts'
import type { Around } from '../engine/engine.ts'
import type { Profile } from '../programs.ts'

/** A variant of the engine that breaks its protocol in one place. */
export type Mutant = {
  /** What it does wrong, in words that finish "the model catches an engine …". */
  breaks: string
  invariant: string
  /** The kind of programs that looks hardest at this place. */
  profile: Profile
  by: Change
}

/** Makes the change and reports to `force`: a change that never came into force must not pass for one that was caught. */
export type Change = (force: Force) => Around
export type Force = {
  applied: number
  problems: string[]
  /** What the change still does when a program is over; the next program must not meet it. */
  pending: Promise<unknown>[]
}

type Told = Parameters<Events['publishEach']>[1][number]

type Within = {
  tx: Tx
  /** Runs it at once in a transaction of its own, whatever becomes of this one. */
  apart(work: (tx: Tx) => Promise<unknown>): Promise<unknown>
  /** Runs it in a transaction of its own once this one is committed, if the hub lives that long. */
  afterwards(work: (tx: Tx) => Promise<unknown>): void
  /** How often this transaction has come to the statement, this time included. */
  times: number
}
type Query = { text: string; run: (text?: string, tx?: Tx) => Promise<unknown[]> }

/** Rewrites one statement, found by its name or, if it has none, by a piece of its text. */
export function rewrite(statement: string, from: string, to: string | (() => string)): Change {
  return onStatement(statement, ({ text, run }, _, force) => {
    const flat = flatten(text)
    if (!flat.includes(flatten(from)))
      force.problems.push(`${statement} does not contain "${from}" (any more)`)
    return run(flat.replaceAll(flatten(from), typeof to === 'string' ? to : to()))
  })
}

/** The hub's own clock, as SQL. It is wrong by an hour now and then. */
export const localNow = () => `to_timestamp(${Date.now() / 1000})`

/** Leaves one statement out; `which` counts within a transaction. */
export function omit(statement: string, which?: number): Change {
  return onStatement(statement, ({ run }, { times }, force) => {
    if (which === undefined || which === times) return Promise.resolve([])
    force.applied -= 1
    return run()
  })
}

/** Changes what one statement answers. */
export function answer<Row>(statement: string, change: (rows: Row[]) => unknown[]): Change {
  return onStatement(statement, async ({ run }) => change((await run()) as Row[]))
}

/** Runs one statement in a transaction of its own: at once, or only after the commit. */
export function apart(statement: string, when: 'at once' | 'afterwards'): Change {
  return onStatement(statement, async ({ run }, within) => {
    if (when === 'at once') await within.apart((tx) => run(undefined, tx))
    else within.afterwards((tx) => run(undefined, tx))
    return []
  })
}

/** Several changes that are one mistake. */
export function both(...changes: Change[]): Change {
  return (force) => {
    const arounds = changes.map((change) => change(force))
    const inOrder =
      <T>(pick: (around: Around) => ((real: T) => T) | undefined) =>
      (real: T) =>
        arounds.reduce((inner, around) => pick(around)?.(inner) ?? inner, real)
    return { db: inOrder((around) => around.db), agents: inOrder((around) => around.agents) }
  }
}

/** What is done with the events of one kind; `when` may look closer. */
export function events(
  kinds: string[],
  how: 'never' | 'twice' | 'at once, apart' | 'after the commit, apart',
): Change {
  return (force) => {
    let db: Db | undefined
    const tell = async (real: Events, tx: Tx, all: Told[]) => {
      const meant = all.filter(({ event }) => kinds.includes(event.kind))
      if (meant.length === 0) return real.publishEach(tx, all)
      force.applied += 1
      await real.publishEach(
        tx,
        all.filter((each) => !meant.includes(each)),
      )
      const workspaceId = meant[0]?.actor.workspaceId ?? ''
      const inOwn = () => db?.inWorkspace(workspaceId, (own) => real.publishEach(own, meant))
      if (how === 'at once, apart') await inOwn()
      else if (how === 'after the commit, apart')
        tx.afterCommit(() => void force.pending.push(inOwn()?.catch(() => {}) ?? Promise.resolve()))
      else if (how === 'twice') await real.publishEach(tx, [...meant, ...meant])
    }
    return {
      db: (real) => (db = real),
      events: (real) => ({
        ...real,
        publish: (tx, actor, event) => tell(real, tx, [{ actor, event }]),
        publishAll: (tx, actor, all) =>
          tell(
            real,
            tx,
            all.map((event) => ({ actor, event })),
          ),
        publishEach: (tx, all) => tell(real, tx, all),
      }),
    }
  }
}

/** Puts something of one's own between the rooms. */
export function between(change: (applied: () => void) => Around): Change {
  return (force) => change(() => void (force.applied += 1))
}

function onStatement(
  wanted: string,
  change: (query: Query, within: Within, force: Force) => Promise<unknown[]>,
): Change {
  return (force) => {
    const changing = async <T>(
      begin: <R>(work: (tx: Tx) => Promise<R>) => Promise<R>,
      work: (tx: Tx) => Promise<T>,
    ): Promise<T> => {
      const late: ((tx: Tx) => Promise<unknown>)[] = []
      const result = await begin(async (tx) => {
        late.length = 0
        let times = 0
        return work({
          ...tx,
          async query<Row>(statement: Statement | string, values: unknown[] = []): Promise<Row[]> {
            if (!isWanted(statement, wanted)) return tx.query(statement, values)
            force.applied += 1
            times += 1
            const text = typeof statement === 'string' ? statement : statement.text
            // Without its name: PostgreSQL would find the right statement prepared under it.
            const run = (other = text, own = tx) => own.query<Row>(other, values)
            const within = {
              tx,
              times,
              apart: begin,
              afterwards: (each: (tx: Tx) => Promise<unknown>) => void late.push(each),
            }
            try {
              return (await change({ text, run }, within, force)) as Row[]
            } catch (error) {
              // A change that is not SQL at all would be noticed by anybody.
              if (codeOf(error)?.startsWith('42')) force.problems.push(`${wanted}: ${String(error)}`)
              throw error
            }
          },
        })
      })
      for (const each of late) await begin(each)
      return result
    }
    return {
      db: (db) => ({
        ...db,
        inWorkspace: (id, work) => changing((run) => db.inWorkspace(id, run), work),
        asSystem: (work) => changing((run) => db.asSystem(run), work),
      }),
    }
  }
}

function isWanted(statement: Statement | string, wanted: string): boolean {
  if (typeof statement !== 'string' && statement.name === wanted) return true
  return flatten(typeof statement === 'string' ? statement : statement.text).includes(wanted)
}

const flatten = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
