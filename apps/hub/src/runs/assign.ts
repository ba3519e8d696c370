import type { Agents } from '../agents/agents.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Repo } from '@muster/contract/repos'
import type { Repos } from '../repos/repos.ts'
import type { Leases } from '../tasks/lease.ts'
import { agentOf, branchesOf } from './branches.ts'
import { beginnings, type Beginning } from './beginnings.ts'
import * as store from './store.ts'

type Offer = ReturnType<Agents['offers']>[number]
/** `at`: when, by the hub's own count of milliseconds. */
type Given = Beginning & { workspaceId: string; repo: Repo; at: number }

/**
 * Assignment: fills the free slots of the workers connected to this hub. What is free, what waits and what may run is
 * asked of the database each time, so a hub that was restarted, or another hub, needs to tell this one nothing.
 * Workspaces take turns of one round each, so that one with ten thousand waiting tasks does not hold up the others.
 */
export function createAssigner(deps: { db: Db; agents: Agents; repos: Repos; leases: Leases }) {
  const { db, agents, leases } = deps
  let turn = 0
  /** Of rounds whose commit was not answered: given out or not, and nobody was told. */
  let unsure: Given[] = []

  return async function assign(): Promise<void> {
    if (unsure.length > 0) await tellUnsure()
    const offers = agents.offers().filter((offer) => offer.walls.some((wall) => wall.ok))
    let open = [...new Set(offers.map((offer) => offer.workspaceId))]
    if (open.length === 0) return
    // Whoever was first last time is last now.
    turn = (turn + 1) % open.length
    open = [...open.slice(turn), ...open.slice(0, turn)]
    while (open.length > 0) {
      const waiting = new Set(await leases.waitingIn(db, open))
      const gaveOut: string[] = []
      for (const workspaceId of open.filter((id) => waiting.has(id))) {
        const here = offers.filter((offer) => offer.workspaceId === workspaceId)
        if ((await round(workspaceId, here)) > 0) gaveOut.push(workspaceId)
      }
      open = gaveOut
    }
  }

  /** One transaction: leases, runs and events together. The messages go out when it is committed. */
  async function round(workspaceId: string, offers: Offer[]): Promise<number> {
    let given: Given[] = []
    const give = async (tx: Tx) => {
      given = []
      // In this order and in one packet: whoever takes workers from tasks holds the same lock, so what is asked behind it
      // stays true until the commit.
      const [, assignable, inactiveRepos] = await Promise.all([
        agents.lockAssignment(tx, workspaceId),
        agents.assignable(tx, offers),
        deps.repos.inactive(tx),
      ])
      const workers = assignable.map((offer) => ({
        ...offer,
        walls: offer.walls.filter((wall) => wall.ok).map((wall) => wall.kind),
      }))
      if (workers.length === 0) return
      const tasks = await leases.takeRound(tx, { workspaceId, workers, inactiveRepos })
      if (tasks.length === 0) return
      const begun = await beginnings(tx, tasks)
      const [repos] = await Promise.all([
        deps.repos.byIds(tx, [...new Set(tasks.map((task) => task.repo_id))]),
        store.startAll(tx, workspaceId, begun),
      ])
      const at = performance.now()
      given = begun.map((each) => ({ ...each, workspaceId, repo: repos.get(each.task.repo_id) as Repo, at }))
    }
    try {
      await db.inWorkspace(workspaceId, give)
    } catch (error) {
      unsure.push(...given)
      throw error
    }
    for (const each of given) tell(each)
    return given.length
  }

  /**
   * Otherwise such a lease would run out first. A run that is there was given out, and one that has not ended still has its
   * lease; should it lose it now, the fence refuses its acceptance. Who is away may come back while it lasts.
   */
  async function tellUnsure(): Promise<void> {
    for (const [workspaceId, given] of Map.groupBy(unsure, (each) => each.workspaceId)) {
      const ids = given.map(({ task }) => task.run_id)
      const runs = await db.inWorkspace(workspaceId, (tx) => store.findAll(tx, ids))
      const open = new Set(runs.filter((run) => run.ending === null).map((run) => run.id))
      const untold = given.filter((each) => open.has(each.task.run_id) && !tell(each))
      unsure = unsure.filter((each) => each.workspaceId !== workspaceId || untold.includes(each))
    }
  }

  function tell(given: Given): boolean {
    const { task, at } = given
    const timeoutMs = Math.max(Math.ceil(task.timeout_ms - (performance.now() - at)), 1)
    return agents.send(task.worker_id, { type: 'assign', assignment: assignmentOf(given, timeoutMs) })
  }
}

function assignmentOf({ task, repo, loop }: Given, timeoutMs: number) {
  const agent = agentOf(task.spec)
  return {
    taskId: task.id,
    epoch: task.epoch,
    runId: task.run_id,
    attempt: task.attempt,
    title: task.title,
    description: task.description,
    repo: { id: repo.id, name: repo.name, url: repo.url },
    agent,
    ...branchesOf(agent, task),
    executor: loop === null ? ('shell' as const) : ('loop' as const),
    command: task.spec.run ?? '',
    loop,
    checks: task.spec.checks,
    mayChange: task.spec.mayChange,
    allowEmpty: task.spec.allowEmpty,
    wall: task.spec.wall,
    network: task.spec.network,
    timeoutMs,
    deadlineMs: task.timeout_ms,
  }
}
