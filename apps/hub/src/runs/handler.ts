import type { RunHandler, RunMessage } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Held } from '../tasks/hold.ts'
import { decide } from './decide.ts'
import { createFinish } from './finish.ts'
import { onRefuse } from './refusal.ts'
import { asReport, createReports } from './reports.ts'
import type { RunDeps } from './run-deps.ts'
import { createShowing } from './showing.ts'
import { createSteps } from './steps.ts'
import * as store from './store.ts'
import { onWake } from './wake.ts'

/**
 * What the messages of workers do. The socket hands those of one run over in order; the ones that every task sends share
 * their transactions with those of other tasks, the others have one each.
 */
export function createHandler(deps: RunDeps): RunHandler {
  const { db, leases, hints } = deps
  const report = createReports(deps, createFinish(deps))
  const steps = createSteps(deps)
  const show = createShowing(deps)

  return {
    async decide(tx, actor, hello) {
      const decisions = []
      for (const run of hello.holding) decisions.push(await decide(leases, tx, actor, run))
      return decisions
    },

    async handle(actor, connection, message) {
      const { workspaceId } = actor
      if (message.type === 'renew') {
        const { workerId } = connection
        return {
          lost: await db.inWorkspace(workspaceId, (tx) => leases.renew(tx, actor, workerId, message.leases)),
        }
      }
      const held = { taskId: message.taskId, epoch: message.epoch, workerId: connection.workerId }
      if (message.type === 'resume') {
        return { checkpoint: await db.inWorkspace(workspaceId, (tx) => steps.resume(tx, actor, held)) }
      }
      if (message.type === 'progress' || message.type === 'delta') {
        await show(held, { workspaceId, ...message })
        return {}
      }
      const said = asReport(actor, held, message)
      if (said !== undefined) await report(said)
      else await db.inWorkspace(workspaceId, (tx) => write(tx, actor, held, message))
      return {}
    },
  }

  async function write(tx: Tx, actor: Actor, held: Held, message: RunMessage): Promise<void> {
    const { workspaceId } = actor
    const { taskId, epoch } = held
    switch (message.type) {
      case 'wake':
        return onWake(deps, tx, actor, held, message)
      case 'refuse':
        return onRefuse(leases, tx, actor, held, message)
      case 'step':
        return steps.record(tx, actor, held, message)
      case 'park':
        return steps.park(tx, actor, held, message)
      case 'phase':
        await leases.enterPhase(tx, actor, held, message.phase)
        return store.setPhase(tx, taskId, epoch, message.phase)
      case 'output': {
        // What a run prints is progress.
        await leases.progressed(tx, actor, held)
        await store.appendOutput(tx, {
          workspaceId,
          taskId,
          epoch,
          batch: message.batch,
          chunks: message.chunks,
        })
        return tx.afterCommit(() => hints.send('output'))
      }
    }
  }
}
