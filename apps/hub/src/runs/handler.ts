import type { RunHandler, RunMessage } from '../agents/socket.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import type { Held } from '../tasks/hold.ts'
import { mustBeBranchOf } from './branches.ts'
import { decide } from './decide.ts'
import type { createFinish } from './finish.ts'
import { meaningOf } from './refusal.ts'
import type { RunDeps } from './runs.ts'
import * as store from './store.ts'
import { onWake } from './wake.ts'

type Written = Exclude<RunMessage, { type: 'renew' | 'progress' | 'finish' }>

/** What the messages of workers do. One transaction each; the socket hands them over in order. */
export function createHandler(deps: RunDeps, finish: ReturnType<typeof createFinish>): RunHandler {
  const { db, leases, events, hints } = deps

  return {
    async decide(tx, actor, hello) {
      const decisions = []
      for (const run of hello.holding) decisions.push(await decide(leases, tx, actor, run))
      return decisions
    },

    async handle(actor, connection, message) {
      const { workspaceId } = actor
      if (message.type === 'progress') {
        deps.progress.tell({ workspaceId, ...message })
        return {}
      }
      if (message.type === 'renew') {
        const { workerId } = connection
        return {
          lost: await db.inWorkspace(workspaceId, (tx) => leases.renew(tx, actor, workerId, message.leases)),
        }
      }
      const held = { taskId: message.taskId, epoch: message.epoch, workerId: connection.workerId }
      if (message.type === 'finish') await finish(actor, held, message)
      else await db.inWorkspace(workspaceId, (tx) => write(tx, actor, held, message))
      return {}
    },
  }

  async function write(tx: Tx, actor: Actor, held: Held, message: Written): Promise<void> {
    const { workspaceId } = actor
    const { taskId, epoch } = held
    switch (message.type) {
      case 'wake':
        return onWake(deps, tx, actor, held, message)
      case 'accept':
        return leases.accept(tx, actor, held)
      case 'refuse': {
        const reason = `${message.code}: ${message.reason}`
        const { ending, ...back } = meaningOf(message.code)
        await leases.giveBack(tx, actor, held, { ...back, reason })
        return store.endOpen(tx, { workspaceId, taskId, epoch, ending, reason })
      }
      case 'phase':
        await leases.enterPhase(tx, actor, held, message.phase)
        return store.setPhase(tx, taskId, epoch, message.phase)
      case 'output': {
        await leases.mustHold(tx, actor, held)
        await store.appendOutput(tx, {
          workspaceId,
          taskId,
          epoch,
          batch: message.batch,
          chunks: message.chunks,
        })
        return tx.afterCommit(() => hints.send('output'))
      }
      case 'publish': {
        await leases.mustHold(tx, actor, held)
        mustBeBranchOf(await deps.tasks.get(tx, taskId), message.branch)
        await store.grant(tx, taskId, epoch, message.commit, message.branch)
        const data = { branch: message.branch, commit: message.commit, epoch }
        return events.publish(tx, actor, { kind: 'run.publish_granted', taskId, data })
      }
    }
  }
}
