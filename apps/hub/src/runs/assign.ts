import type { Agents, Offer } from '../agents/agents.ts'
import type { Db } from '../kernel/db.ts'
import { newId } from '../kernel/ids.ts'
import type { Repos } from '../repos/repos.ts'
import type { Leases } from '../tasks/lease.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { branchesOf, shellAgent } from './branches.ts'
import * as store from './store.ts'

/**
 * One round of assignment: fills the free slots of the workers connected to this hub. What is free is asked of the
 * database each time, so a hub that was restarted, or another hub, needs to tell this one nothing.
 */
export function createAssigner(deps: { db: Db; agents: Agents; repos: Repos; tasks: Tasks; leases: Leases }) {
  const { db, agents } = deps

  return async function assign(): Promise<void> {
    const offers = agents.offers().filter((offer) => offer.walls.some((wall) => wall.ok))
    for (const workspaceId of new Set(offers.map((offer) => offer.workspaceId))) {
      const here = offers.filter((offer) => offer.workspaceId === workspaceId)
      const held = await db.inWorkspace(workspaceId, (tx) => deps.tasks.busy(tx))
      const free = here.map((offer) => ({ offer, slots: offer.slots - (held.get(offer.workerId) ?? 0) }))
      await fill(free.filter((each) => each.slots > 0))
    }
  }

  /** One task at a time to the worker with the most room, so that work spreads over the fleet. */
  async function fill(free: { offer: Offer; slots: number }[]): Promise<void> {
    while (free.length > 0) {
      free.sort((a, b) => b.slots - a.slots || a.offer.name.localeCompare(b.offer.name))
      const first = free[0]
      if (first === undefined) return
      const taken = await claimFor(first.offer, free.length)
      if (!taken) free.shift()
      else if (--first.slots === 0) free.shift()
    }
  }

  async function claimFor(offer: Offer, candidates: number): Promise<boolean> {
    const { workspaceId, workerId, name } = offer
    const walls = offer.walls.filter((wall) => wall.ok).map((wall) => wall.kind)
    const runId = newId()
    const reason = `Given to ${name}: it had the most free slots of ${candidates} connected with a working wall.`
    const assignment = await db.inWorkspace(workspaceId, async (tx) => {
      const task = await deps.leases.claim(tx, { workspaceId, id: workerId, name, walls, runId, reason })
      if (task === undefined) return undefined
      const repo = await deps.repos.byId(tx, task.repo_id)
      const run = { workspaceId, id: runId, taskId: task.id, attempt: task.attempt, epoch: task.epoch }
      await store.start(tx, { ...run, workerId, worker: name, agent: shellAgent, wall: task.spec.wall })
      return { task, repo }
    })
    if (assignment === undefined) return false
    const { task, repo } = assignment
    agents.send(workerId, {
      type: 'assign',
      assignment: {
        taskId: task.id,
        epoch: task.epoch,
        runId,
        attempt: task.attempt,
        title: task.title,
        description: task.description,
        repo: { id: repo.id, name: repo.name, url: repo.url },
        agent: shellAgent,
        ...branchesOf(shellAgent, task),
        executor: 'shell',
        command: task.spec.run ?? '',
        checks: task.spec.checks,
        mayChange: task.spec.mayChange,
        allowEmpty: task.spec.allowEmpty,
        wall: task.spec.wall,
        network: task.spec.network,
        timeoutMs: task.spec.timeoutMs,
      },
    })
    return true
  }
}
