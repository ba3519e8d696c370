import { setTimeout as sleep } from 'node:timers/promises'
import { hubMessage, type Assignment, type HubMessage, type WorkerMessage } from '@muster/contract/wire'
import { WebSocket } from 'ws'
import type { Branches } from '../rig/branches.ts'
import { commitOf, verified } from '../rig/stand-in.ts'

type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never
type Reply = Extract<HubMessage, { type: 'reply' }>
type Held = Extract<WorkerMessage, { type: 'hello' }>['holding']

/** What was said under an old epoch, and what came of it. */
export type Stale = { sent: number; refused: number; taken: string[]; unanswered?: string[] }

const answerWithinMs = 5_000

/**
 * A double that speaks the wire: takes what it is assigned, says that it lost it, so that it is assigned anew, to itself
 * or to another, and then sends the finish of the first run: before the second has ended and after it. None may be taken. The other words of a run
 * are sent under the old epoch too; they are not counted, but one that is taken is.
 */
export async function sendStaleFinishes(options: {
  url: string
  token: string
  branches: Branches
  /** Hands so many tasks in. */
  handIn: () => Promise<void>
  epochOf: (taskId: string) => Promise<number>
}): Promise<Stale> {
  const stale: Stale = { sent: 0, refused: 0, taken: [] }
  const first = await connect(options, [])
  await options.handIn()
  const lost = await first.assigned()
  for (const { taskId, epoch } of lost) await first.ask({ type: 'accept', taskId, epoch })
  await first.close()
  const second = await connect(
    options,
    lost.map(({ taskId, epoch, runId }) => ({ taskId, epoch, runId, phase: 'lost' })),
  )
  // Until somebody has the task anew its first run is still the newest, and its result would be taken, rightly.
  for (const { taskId, epoch } of lost) {
    await until(
      async () => ((await options.epochOf(taskId)) > epoch ? true : undefined),
      () => 'another assignment',
    )
  }
  const again = await second.assigned()
  for (const run of lost) await sayAll(second, run, stale)
  for (const run of again) await finish(second, run, options.branches)
  for (const run of lost) await sayFinish(second, run, stale)
  await second.close()
  return stale
}

type Link = Awaited<ReturnType<typeof connect>>

async function sayAll(link: Link, run: Assignment, stale: Stale): Promise<void> {
  const { taskId, epoch, branch } = run
  const at = { taskId, epoch }
  const words: Parameters<Link['ask']>[0][] = [
    { type: 'accept', ...at },
    { type: 'phase', ...at, phase: 'running' },
    { type: 'output', ...at, batch: 0, chunks: [{ stream: 'stdout', text: 'late' }] },
    { type: 'publish', ...at, branch, commit: commitOf(run.runId) },
    { type: 'refuse', ...at, code: 'worker_failed', reason: 'late' },
  ]
  for (const word of words) {
    const reply = await link.ask(word)
    if (reply.error?.code !== 'stale_epoch') stale.taken.push(`${word.type} of epoch ${epoch} of ${taskId}`)
  }
  const renewed = await link.ask({ type: 'renew', leases: [at] })
  if (renewed.lost?.length !== 1) stale.taken.push(`renewal of epoch ${epoch} of ${taskId}`)
  await sayFinish(link, run, stale)
}

async function sayFinish(link: Link, run: Assignment, stale: Stale): Promise<void> {
  const { taskId, epoch, runId } = run
  stale.sent += 1
  const result = verified(run, commitOf(runId))
  const reply = await link.ask({ type: 'finish', taskId, epoch, runId, result })
  if (!reply.ok && reply.error?.code === 'stale_epoch') stale.refused += 1
  else stale.taken.push(`finish of epoch ${epoch} of ${taskId}`)
}

/** As a worker does that has done its work. */
async function finish(link: Link, run: Assignment, branches: Branches): Promise<void> {
  const { taskId, epoch, runId, branch } = run
  const commit = commitOf(runId)
  await link.ask({ type: 'accept', taskId, epoch })
  await link.ask({ type: 'publish', taskId, epoch, branch, commit })
  branches.swap(taskId, branches.read(taskId), commit)
  await link.ask({ type: 'finish', taskId, epoch, runId, result: verified(run, commit) })
}

async function connect({ url, token }: { url: string; token: string }, holding: Held) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/workers/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const received: HubMessage[] = []
  socket.on('message', (data) => received.push(hubMessage.parse(JSON.parse(String(data)))))
  socket.on('error', () => {})
  const ends: string[] = []
  const closed = new Promise<void>((resolve) =>
    socket.on('close', (code, reason) => {
      ends.push(`closed with ${code} ${String(reason)}`)
      resolve()
    }),
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  let lastId = 0
  const ask = async (message: WithoutId<WorkerMessage>): Promise<Reply> => {
    const id = ++lastId
    socket.send(JSON.stringify({ ...message, id }))
    return until(
      () => received.find((each): each is Reply => each.type === 'reply' && each.to === id),
      () => `${message.type}; ${ends.join()}; the last it heard: ${JSON.stringify(received.slice(-3))}`,
    )
  }
  const id = ++lastId
  const wall = { kind: 'namespace' as const, ok: true, detail: 'a stand-in' }
  const hello = { type: 'hello', id, wire: 1, instance: 'stale', version: '0', host: 'chaos', slots: 32 }
  socket.send(JSON.stringify({ ...hello, walls: [wall], capabilities: [], holding }))
  await until(
    () => received.find((each) => each.type === 'welcome'),
    () => `hello; ${ends.join()}`,
  )
  return {
    ask,
    /** What it has been assigned once nothing more has come for a while; another worker may have been quicker. */
    async assigned(): Promise<Assignment[]> {
      const all = () => received.flatMap((each) => (each.type === 'assign' ? [each.assignment] : []))
      for (let before = -1; before !== all().length;) {
        before = all().length
        await sleep(200)
      }
      return all()
    },
    async close(): Promise<void> {
      socket.close()
      await closed
    },
  }
}

async function until<T>(find: () => T | undefined | Promise<T | undefined>, what: () => string): Promise<T> {
  for (const end = Date.now() + answerWithinMs; Date.now() < end;) {
    const found = await find()
    if (found !== undefined) return found
    await sleep(3)
  }
  throw new Error(`the hub did not answer the double: ${what()}`)
}
