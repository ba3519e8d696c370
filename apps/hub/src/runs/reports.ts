import type { RunMessage } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import { createBatches, refusedOr, type Outcome } from '../kernel/batches.ts'
import type { Tx } from '../kernel/db.ts'
import { stale, type Held } from '../tasks/hold.ts'
import { mustBeBranchOf } from './branches.ts'
import { createEndings, type Finishing } from './endings.ts'
import type { createFinish } from './finish.ts'
import type { RunDeps } from './run-deps.ts'
import * as store from './store.ts'

type Said<T extends RunMessage['type']> = Extract<RunMessage, { type: T }>
type Of<T extends RunMessage['type']> = { actor: Actor; held: Held; message: Said<T> }

/** A message that every task sends: worth doing for many tasks at once. */
export type Report = Of<'accept'> | Of<'publish'> | Of<'finish'>

/** The message as one, if it is one. */
export function asReport(actor: Actor, held: Held, message: RunMessage): Report | undefined {
  switch (message.type) {
    case 'accept':
      return { actor, held, message }
    case 'publish':
      return { actor, held, message }
    case 'finish':
      return { actor, held, message }
    default:
      return undefined
  }
}

const of = <T extends RunMessage['type']>(reports: Report[], type: T) =>
  reports.filter((report): report is Extract<Report, Of<T>> => report.message.type === type)

/**
 * Does what workers report in transactions that all tasks of a workspace share which report at this moment: the fence
 * is one statement for all of them, and so is each kind of write. One whose lease is gone is refused by itself. A finish
 * that is not the plain case is done alone, as finish.ts tells: in the shared transaction it changes nothing.
 */
export function createReports(deps: RunDeps, finishAlone: ReturnType<typeof createFinish>) {
  const { db, leases, events, tasks } = deps
  const end = createEndings(deps)

  const together = createBatches<Report, boolean>({
    most: 100,
    atOnce: 2,
    // A report and its repetition, or those of an older and a newer run: one after the other.
    apart: ({ held }) => held.taskId,
    work: (workspaceId, reports) => db.inWorkspace(workspaceId, (tx) => write(tx, workspaceId, reports)),
  })

  return async function report(said: Report): Promise<void> {
    const isDone = await together(said.actor.workspaceId, said)
    if (!isDone && said.message.type === 'finish') await finishAlone(said.actor, said.held, said.message)
  }

  async function write(tx: Tx, workspaceId: string, reports: Report[]): Promise<Outcome<boolean>[]> {
    const kept = await leases.holdAll(
      tx,
      workspaceId,
      reports.map(({ held }) => held),
    )
    const holding = reports.filter(({ held }) => kept.has(held))
    const refused = new Map<Report, Outcome<boolean>>()
    await leases.acceptAll(tx, of(holding, 'accept'))
    for (const [report, refusal] of await grant(tx, workspaceId, of(holding, 'publish'))) {
      refused.set(report, refusal)
    }
    const ended = new Set<Finishing>(await end(tx, workspaceId, of(holding, 'finish')))
    return reports.map((report) => {
      const { type } = report.message
      if (type === 'finish') return { status: 'fulfilled', value: ended.has(report as Of<'finish'>) }
      if (!kept.has(report.held)) return { status: 'rejected', reason: stale(report.held) }
      return refused.get(report) ?? { status: 'fulfilled', value: true }
    })
  }

  /** The right to put a commit on a branch of the task and on no other. Answers the refused. */
  async function grant(
    tx: Tx,
    workspaceId: string,
    asked: Of<'publish'>[],
  ): Promise<[Report, Outcome<boolean>][]> {
    if (asked.length === 0) return []
    const named = await tasks.namesOf(
      tx,
      asked.map(({ held }) => held.taskId),
    )
    const judged = asked.map((report) => ({
      report,
      outcome: refusedOr(() => {
        const task = named.get(report.held.taskId)
        if (task === undefined) throw stale(report.held)
        mustBeBranchOf(task, report.message.branch)
        return true
      }),
    }))
    const granted = judged.filter(({ outcome }) => outcome.status === 'fulfilled').map(({ report }) => report)
    if (granted.length > 0) {
      await Promise.all([
        store.grantAll(
          tx,
          workspaceId,
          granted.map(({ message }) => ({ ...message, runId: named.get(message.taskId)?.run_id ?? null })),
        ),
        events.publishEach(
          tx,
          granted.map(({ actor, message: { taskId, branch, commit, epoch } }) => ({
            actor,
            event: { kind: 'run.publish_granted' as const, taskId, data: { branch, commit, epoch } },
          })),
        ),
      ])
    }
    return judged.flatMap(({ report, outcome }) => (outcome.status === 'rejected' ? [[report, outcome]] : []))
  }
}
