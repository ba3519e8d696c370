import {
  hubMessage,
  type Assignment,
  type HeldRun,
  type HubMessage,
  type WorkerMessage,
} from '@muster/contract/wire'
import type { Blocked, Supervisor, WallStatus } from '@muster/contract/workers'
import { eventually } from '@muster/testkit/eventually'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

export type WorkerOptions = {
  token: string
  instance: string
  slots: number
  walls: WallStatus[]
  holding: HeldRun[]
  supervisor: Supervisor
  blocked: Blocked
}

type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never
export type WorkerRequest = WithoutId<WorkerMessage>
type Of<T extends HubMessage['type']> = Extract<HubMessage, { type: T }>

export const goodWall: WallStatus = { kind: 'namespace', ok: true, detail: 'bubblewrap works' }

/** A worker as the wire sees one: it says hello and from then on only what the test tells it to. */
export async function connectWorker(url: string, options: Partial<WorkerOptions> & { token: string }) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/workers/socket`, {
    headers: { authorization: `Bearer ${options.token}` },
  })
  onTestFinished(() => socket.terminate())
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  )
  const received: HubMessage[] = []
  const taken = new Set<HubMessage>()
  socket.on('message', (data) => received.push(hubMessage.parse(JSON.parse(String(data)))))
  await new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  let lastId = 0

  const next = <T extends HubMessage['type']>(type: T, fits: (message: Of<T>) => boolean = () => true) =>
    eventually(
      () => {
        const found = received.find(
          (message): message is Of<T> =>
            message.type === type && !taken.has(message) && fits(message as Of<T>),
        )
        if (found !== undefined) taken.add(found)
        return found
      },
      { what: `the hub sends ${type}`, everyMs: 5 },
    )
  const post = (message: object) => {
    lastId += 1
    socket.send(JSON.stringify({ id: lastId, ...message }))
    return lastId
  }
  const hello = post({
    type: 'hello',
    wire: 1,
    instance: options.instance ?? 'instance-1',
    version: '0.0.1',
    host: 'test',
    slots: options.slots ?? 1,
    walls: options.walls ?? [goodWall],
    holding: options.holding ?? [],
    ...(options.supervisor === undefined ? {} : { supervisor: options.supervisor }),
    ...(options.blocked === undefined ? {} : { blocked: options.blocked }),
  })
  const greeted = await Promise.race([next('welcome', (message) => message.to === hello), closed])
  return {
    socket,
    closed,
    received,
    /** Undefined when the hub closed the connection instead. */
    welcome: 'code' in greeted ? undefined : greeted,
    post,
    next,
    /** Sends a request and answers its reply. */
    async request(message: WorkerRequest): Promise<Of<'reply'>> {
      const id = post(message)
      return next('reply', (reply) => reply.to === id)
    },
    async assigned(): Promise<Assignment> {
      return (await next('assign')).assignment
    },
    cancelled: () => next('cancel'),
    toldToRestart: () => next('restart'),
    /** The hub's word about a message that does not fit. */
    complaint: () => next('error'),
    async close() {
      socket.close()
      await closed
    },
  }
}
