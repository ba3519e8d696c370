import type { Task } from '@muster/contract/tasks'
import type { RunResult } from '@muster/contract/wire'
import type { Agents, Hello } from '../agents/agents.ts'
import type { Decision, RunHandler, RunMessage } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Hints } from '../kernel/hints.ts'
import type { Held, Leases } from '../tasks/lease.ts'
import { refusedDelaySeconds } from '../tasks/limits.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { whyNotProven } from './evidence.ts'
import type { Progress } from './live.ts'
import * as store from './store.ts'

export type Runs = ReturnType<typeof createRuns>

/** One attempt at a task: what its worker reports, and how it ends. Every write is behind the lease's fence. */
export function createRuns(deps: {
  db: Db
  agents: Agents
  tasks: Tasks
  leases: Leases
  events: Events
  hints: Hints
  progress: Progress
}) {
  const { db, agents, leases, events, hints } = deps

  const handler: RunHandler = {
    /** What a worker that (re)connects must do with each run it still holds. */
    decide: (actor, hello) =>
      db.inWorkspace(actor.workspaceId, async (tx) => {
        const decisions: Decision[] = []
        for (const run of hello.holding) decisions.push(await decideOne(tx, actor, run))
        return decisions
      }),

    async handle(actor, connection, message) {
      const held = (m: { taskId: string; epoch: number }): Held => ({
        taskId: m.taskId,
        epoch: m.epoch,
        workerId: connection.workerId,
      })
      if (message.type === 'progress') {
        deps.progress.tell({ workspaceId: actor.workspaceId, ...message })
        return {}
      }
      if (message.type === 'renew') {
        return {
          lost: await db.inWorkspace(actor.workspaceId, (tx) =>
            leases.renew(tx, actor, connection.workerId, message.leases),
          ),
        }
      }
      try {
        await db.inWorkspace(actor.workspaceId, (tx) => write(tx, actor, held(message), message))
      } catch (error) {
        if (error instanceof MusterError && error.code === 'stale_epoch' && message.type === 'finish') {
          return await refusedFinish(actor, message, error)
        }
        throw error
      }
      return {}
    },
  }

  /** A finish that repeats the one already recorded is a success; any other is stale and leaves only a trace. */
  async function refusedFinish(
    actor: Actor,
    message: Extract<RunMessage, { type: 'finish' }>,
    error: MusterError,
  ) {
    const recorded = await db.inWorkspace(actor.workspaceId, async (tx) => {
      const run = await store.find(tx, message.runId)
      const same =
        run !== undefined &&
        run.task_id === message.taskId &&
        run.epoch === message.epoch &&
        run.ending === message.result.ending &&
        run.commit === message.result.commit
      if (!same) {
        await events.publish(tx, actor, {
          kind: 'run.refused_stale',
          taskId: message.taskId,
          runId: message.runId,
          data: { epoch: message.epoch, ending: message.result.ending },
        })
      }
      return same
    })
    if (!recorded) throw error
    return {}
  }

  async function decideOne(tx: Tx, actor: Actor, run: Hello['holding'][number]): Promise<Decision> {
    const held = { taskId: run.taskId, epoch: run.epoch, workerId: actor.id ?? '' }
    const at = { taskId: run.taskId, epoch: run.epoch }
    try {
      await leases.mustHold(tx, actor, held)
    } catch (error) {
      if (!(error instanceof MusterError) || error.code !== 'stale_epoch') throw error
      // A finished run is told to go on: its finish is either recorded already or refused, and both answer it.
      const action = run.phase === 'finished' ? ('continue' as const) : ('abort' as const)
      return { ...at, action, reason: 'A newer run or an end has replaced this one.' }
    }
    if (run.phase !== 'lost') return { ...at, action: 'continue', reason: 'The lease is still yours.' }
    const reason = 'The worker was restarted and lost the run.'
    await leases.giveBack(tx, actor, held, { reason, lost: true, delaySeconds: 0 })
    await store.endOpen(tx, { workspaceId: actor.workspaceId, ...at, ending: 'lost', reason })
    return { ...at, action: 'abort', reason }
  }

  async function write(
    tx: Tx,
    actor: Actor,
    held: Held,
    message: Exclude<RunMessage, { type: 'renew' | 'progress' }>,
  ) {
    switch (message.type) {
      case 'accept':
        return leases.accept(tx, actor, held)
      case 'refuse': {
        const reason = `${message.code}: ${message.reason}`
        // A missing wall is waited for; any other refusal is bounded like a loss, so that it cannot go on for ever.
        const lost = message.code !== 'sandbox_unavailable'
        await leases.giveBack(tx, actor, held, { reason, lost, delaySeconds: refusedDelaySeconds })
        return store.endOpen(tx, { workspaceId: actor.workspaceId, ...held, ending: 'refused', reason })
      }
      case 'phase':
        await leases.enterPhase(tx, actor, held, message.phase)
        return store.setPhase(tx, held.taskId, held.epoch, message.phase)
      case 'output':
        return writeOutput(tx, actor, held, message)
      case 'publish': {
        await leases.mustHold(tx, actor, held)
        await store.grant(tx, held.taskId, held.epoch, message.commit, message.branch)
        const data = { branch: message.branch, commit: message.commit, epoch: held.epoch }
        return events.publish(tx, actor, { kind: 'run.publish_granted', taskId: held.taskId, data })
      }
      case 'finish':
        return finish(tx, actor, held, message.runId, message.result)
    }
  }

  async function writeOutput(
    tx: Tx,
    actor: Actor,
    held: Held,
    message: Extract<RunMessage, { type: 'output' }>,
  ) {
    await leases.mustHold(tx, actor, held)
    const [run] = await tx.query<{ id: string }>(
      { name: 'runs_by_epoch', text: 'select id from runs where task_id = $1 and epoch = $2' },
      [held.taskId, held.epoch],
    )
    if (run === undefined) return
    const output = { workspaceId: actor.workspaceId, taskId: held.taskId, runId: run.id }
    await store.appendOutput(tx, { ...output, batch: message.batch, chunks: message.chunks })
    tx.afterCommit(() => hints.send('output'))
  }

  async function finish(tx: Tx, actor: Actor, held: Held, runId: string, result: RunResult): Promise<void> {
    await leases.mustHold(tx, actor, held)
    const run = await store.find(tx, runId)
    if (run === undefined || run.task_id !== held.taskId || run.epoch !== held.epoch) {
      throw new MusterError('protocol_violation', `Run ${runId} is not the one of this lease.`)
    }
    if (result.ending === 'lost' || result.ending === 'cancelled') {
      await leases.giveBack(tx, actor, held, { reason: result.reason, lost: true, delaySeconds: 0 })
      return store.finish(tx, actor.workspaceId, runId, result)
    }
    if (result.ending === 'verified') {
      const declared = (await deps.tasks.get(tx, held.taskId)).declaredChecks
      const why = whyNotProven(result, run, declared)
      if (why !== undefined) throw new MusterError('protocol_violation', `This run is not proven: ${why}.`)
    }
    const checks = result.report?.checks ?? []
    const { ending, reason, branch, commit } = result
    await leases.complete(tx, actor, held, { ending, reason, branch, commit, checks })
    await store.finish(tx, actor.workspaceId, runId, result)
    if (ending === 'verified' && result.report !== null && commit !== null) {
      const evidence = {
        workspaceId: actor.workspaceId,
        taskId: held.taskId,
        runId,
        commit,
        report: result.report,
      }
      await store.insertEvidence(tx, evidence)
    }
  }

  return {
    handler,

    /** Ends leases that ran out together with their runs, in one transaction. */
    async sweep(): Promise<void> {
      await db.asSystem(async (tx) => {
        for (const row of await leases.sweep(tx)) {
          const ending = row.cause === 'deadline' ? ('timed_out' as const) : ('lost' as const)
          const run = { workspaceId: row.workspace_id, taskId: row.task_id, epoch: row.epoch }
          await store.endOpen(tx, {
            ...run,
            ending,
            reason: `The lease ended: ${row.cause.replaceAll('_', ' ')}.`,
          })
        }
      })
    },

    /**
     * Cancels a task and ends its run in the same transaction. A worker connected here is told at once; one of
     * another hub learns it from its next renewal, which is at most a third of a lease away.
     */
    async cancel(tx: Tx, actor: Actor, ref: string): Promise<Task> {
      const { task, held } = await deps.tasks.cancel(tx, actor, ref)
      const reason = `Cancelled by ${actor.label}.`
      if (held !== null) {
        const run = { workspaceId: actor.workspaceId, taskId: held.taskId, epoch: held.epoch }
        await store.endOpen(tx, { ...run, ending: 'cancelled', reason })
        tx.afterCommit(() => {
          agents.send(held.workerId, { type: 'cancel', taskId: held.taskId, epoch: held.epoch, reason })
          hints.send('queue')
        })
      }
      return task
    },
  }
}
