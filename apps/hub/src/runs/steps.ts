import type { RunMessage } from '../agents/socket.ts'
import type { Costs, Recorded } from '../costs/costs.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import type { Models } from '../models/models.ts'
import type { Held } from '../tasks/hold.ts'
import type { Leases } from '../tasks/lease.ts'
import * as store from './step-store.ts'
import { endOpen } from './store.ts'

type Said<T extends RunMessage['type']> = Extract<RunMessage, { type: T }>
type Deps = { leases: Leases; events: Events; costs: Costs; models: Models }

// Of a message to a worker, which reads at most 8 MiB at once.
const resumeLimitBytes = 6 * 1024 * 1024

/**
 * Steps of runs that work with a model.
 *
 * A step is recorded before the next one begins: the step, what it added to the conversation, the state of the files
 * and the event in one transaction behind the fence. So a run whose worker is killed at any instruction loses at most
 * the step that was under way, and the run that follows it goes on behind the last recorded one. Steps count from 1
 * over all runs of one line of work, which makes a step that is sent twice the same row, and a step that is missing
 * visible.
 */
export function createSteps({ leases, events, costs, models }: Deps) {
  return {
    async record(tx: Tx, actor: Actor, held: Held, message: Said<'step'>): Promise<void> {
      const { workspaceId } = actor
      const { taskId, epoch } = held
      // A step is progress. This is the fence, too, and what makes steps of one task wait for each other.
      await leases.progressed(tx, actor, held)
      const run = await store.openRun(tx, taskId, epoch)
      const { step, messages, state, workspace } = message
      if (run === undefined || run.line === null) {
        throw new MusterError('protocol_violation', 'This run was not assigned to work with a model.')
      }
      const { line } = run
      const recorded = await store.stepsOf(tx, taskId, line)
      if (step.seq <= recorded) return
      if (step.seq !== recorded + 1) {
        throw new MusterError('protocol_violation', `Step ${step.seq} came after step ${recorded}.`)
      }
      if (message.failure != null && run.model !== null) {
        await models.reportFailure(tx, actor, run.model.endpoint, { class: message.failure.class })
      }
      const { cost, saved } = await costOf(costs, tx, { workspaceId, taskId }, run, step)
      await store.insert(tx, {
        workspaceId,
        taskId,
        runId: run.id,
        line,
        model: run.model,
        step,
        messages,
        costMicroUsd: cost,
      })
      await Promise.all([
        store.keep(tx, { workspaceId, taskId, line, steps: step.seq, state, workspace }),
        store.countIn(tx, run.id, step.usage, saved),
        events.publish(tx, actor, {
          kind: 'run.step',
          taskId,
          runId: run.id,
          data: shownIn(step),
        }),
      ])
    },

    /** What an earlier run left; null, and a line of its own for this run, when there is nothing to go on with. */
    async resume(tx: Tx, actor: Actor, held: Held) {
      await leases.mustHold(tx, actor, held)
      const run = await store.openRun(tx, held.taskId, held.epoch)
      if (run === undefined || run.line === null) {
        throw new MusterError('protocol_violation', 'This run was not assigned to work with a model.')
      }
      const checkpoint = await store.readCheckpoint(tx, held.taskId, run.line)
      const fits = checkpoint !== null && JSON.stringify(checkpoint).length <= resumeLimitBytes
      if (!fits) {
        await store.beginLine(tx, run.id)
        return null
      }
      await events.publish(tx, actor, {
        kind: 'run.resumed',
        taskId: held.taskId,
        runId: run.id,
        data: { line: run.line, steps: checkpoint.steps, epoch: held.epoch },
      })
      return checkpoint
    },

    /** The task waits and goes on later; neither a failure nor a loss. The database's clock says when. */
    async park(tx: Tx, actor: Actor, held: Held, { delayMs, reason }: Said<'park'>): Promise<void> {
      await leases.giveBack(tx, actor, held, { reason, lost: false, delaySeconds: delayMs / 1000 })
      const { taskId, epoch } = held
      await endOpen(tx, { workspaceId: actor.workspaceId, taskId, epoch, ending: 'refused', reason })
      await events.publish(tx, actor, { kind: 'run.parked', taskId, data: { delayMs, reason, epoch } })
    },
  }
}

/** Of a step, what an event tells (LOOP-07): arguments of 200 characters, results of 100. */
function shownIn(step: Said<'step'>['step']): Record<string, unknown> {
  const { seq, kind, model, provider, tool, success, code, usage, ms } = step
  const args = step.args.slice(0, 200)
  const result = step.result.slice(0, 100)
  const text = step.text.slice(0, 200)
  return { seq, kind, model, provider, text, tool, args, result, success, code, usage, ms: Math.round(ms) }
}

/** The ledger entry of a call that went to its model directly; one through the gateway was counted there. */
async function costOf(
  costs: Costs,
  tx: Tx,
  { workspaceId, taskId }: { workspaceId: string; taskId: string },
  { id: runId, model, tier, worker }: store.OpenRun,
  { kind, usage, success: ok }: Said<'step'>['step'],
): Promise<Recorded> {
  if (kind !== 'model' || usage === null || model === null || model.via === 'gateway')
    return { cost: 0, saved: 0 }
  const purpose = 'task' as const
  const spender = { workspaceId, taskId, runId, goalId: null, agent: 'loop', purpose, worker }
  return costs.record(tx, spender, model, { usage, tier: tier ?? 'standard', ok })
}
