import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorTable, type ErrorCode } from '@muster/contract/errors'
import type { Event } from '@muster/contract/events'
import type { Message } from '@muster/contract/messages'
import type { Token } from '@muster/contract/identity'
import type { BulkResult, Queue } from '@muster/contract/queue'
import type { Task } from '@muster/contract/tasks'
import type { Worker } from '@muster/contract/workers'

export type Asked = {
  method: string
  path: string
  key: string | undefined
  body: unknown
  token: string | undefined
}

/** A hub that speaks the contract over real HTTP and remembers what it was asked. */
export type StubHub = {
  readonly url: string
  readonly asked: Asked[]
  tasks: Task[]
  tokens: Token[]
  queue: Queue
  workers: Worker[]
  history: Event[]
  /** What the next bulk verbs answer, one each; when there is none left, that nothing was to be done. */
  bulk: BulkResult[]
  /** Answers the next requests with these refusals, one each; `hang_up` closes the connection. */
  refuse(...codes: (ErrorCode | 'hang_up')[]): void
  close(): Promise<void>
}

export async function startStubHub(): Promise<StubHub> {
  const asked: Asked[] = []
  const refusals: (ErrorCode | 'hang_up')[] = []
  const server = createServer((request, response) => void serve(request, response))
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://stub')
    let text = ''
    for await (const piece of request) text += String(piece)
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const { authorization, 'idempotency-key': key } = request.headers
    asked.push({
      method: request.method ?? '',
      path: url.pathname,
      key: key?.toString(),
      body,
      token: authorization,
    })
    const refusal = refusals.shift()
    if (refusal === 'hang_up') return request.socket.destroy()
    if (refusal !== undefined) return send(response, errorTable[refusal].status, refusalBody(refusal))
    send(response, 200, answer(hub, request.method ?? '', url, body))
  }
  const url = await listen(server)
  const hub: StubHub = {
    url,
    asked,
    tasks: [],
    tokens: [],
    queue: emptyQueue,
    workers: [],
    history: [],
    bulk: [],
    refuse: (...codes) => void refusals.push(...codes),
    close: async () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return hub
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refusalBody(code: ErrorCode) {
  const { when, hint } = errorTable[code]
  return { code, message: when, hint, docs: `docs/errors.md#${code}` }
}

const at = '2026-01-02T03:04:05.000Z'

function answer(hub: StubHub, method: string, url: URL, body: unknown): unknown {
  const path = url.pathname.replace('/api/v1/', '')
  const [noun, ref, detail] = path.split('/')
  const task =
    hub.tasks.find(({ id, short }) => id === ref || short === ref) ?? hub.tasks[0] ?? sampleTask({})
  if (noun === 'tasks' && method === 'POST' && ref === undefined) {
    const created = hub.tasks[0] ?? sampleTask(titled(body))
    hub.tasks = [created, ...hub.tasks.slice(1)]
    return created
  }
  if (noun === 'tasks' && ref === undefined) return { items: hub.tasks, nextCursor: null }
  if (path === 'tasks/retry' || path === 'tasks/delete') return hub.bulk.shift() ?? noBulk
  if (noun === 'tasks' && method === 'DELETE') return { ok: true }
  if (detail === 'history') return { items: hub.history, nextCursor: null }
  if (detail === 'log') return logPage(Number(url.searchParams.get('after')))
  if (detail === 'diff') return { base: null, commit: null, branch: 'b', diff: sampleDiff, truncated: false }
  if (noun === 'tasks') return task
  if (noun === 'repos' && ref !== undefined) return { ...sampleRepo, active: detail === 'activate' }
  if (noun === 'repos' && method === 'POST') return { ...sampleRepo, ...(body as object) }
  if (noun === 'repos') return { items: [sampleRepo], nextCursor: null }
  if (noun === 'tokens' && method === 'POST') return { ...sampleToken, secret: 'muster_person_secret' }
  if (noun === 'tokens' && method === 'GET') return { items: hub.tokens, nextCursor: null }
  if (noun === 'tokens' && method === 'DELETE') return { ok: true }
  if (noun === 'messages' && method === 'POST') return { id: sampleMessage.id, seq: 1, at, left: 59 }
  if (noun === 'messages') return { items: [sampleMessage], nextCursor: '1' }
  if (path === 'queue/stop' || detail === 'stop') return { requeued: hub.queue.running, told: 1 }
  if (noun === 'queue') {
    if (ref !== undefined) hub.queue = { ...hub.queue, paused: ref === 'pause' }
    return hub.queue
  }
  if (noun === 'workers' && ref !== undefined) return workerAfter(hub, ref, detail, body)
  if (noun === 'workers') return { items: hub.workers, nextCursor: null }
  if (noun === 'sign-in-links') return { url: `${hub.url}/sign-in#link=x`, expiresAt: at }
  return { items: [], nextCursor: null }
}

/** Each look at a worker finds one task less, so that whoever waits for the end of all sees it come. */
function workerAfter(hub: StubHub, name: string, verb: string | undefined, body: unknown): Worker {
  const before = hub.workers.find((worker) => worker.name === name) ?? sampleWorker({ name })
  const { reason = 'Cordoned by owner.' } = (body ?? {}) as { reason?: string }
  const cordoned = { cordon: reason, uncordon: null }[verb ?? '']
  const busy = verb === undefined ? Math.max(0, before.busy - 1) : before.busy
  const after = { ...before, busy, ...(cordoned === undefined ? {} : { cordoned }) }
  hub.workers = [after, ...hub.workers.filter((worker) => worker !== before)]
  return after
}

export const sampleDiff = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+\u001b[31mnew\n'

/** Two pages, so that a reader that stops after the first is found out. */
function logPage(after: number) {
  const chunk = (seq: number, text: string) => ({ seq, runId: randomUUID(), stream: 'stdout', text, at })
  if (after >= 2) return { items: [chunk(3, 'mred\u001b[0m\nend\n')], nextAfter: null }
  return { items: [chunk(1, 'begin\n'), chunk(2, '\u001b[31')], nextAfter: 2 }
}

const sampleRepo = { id: randomUUID(), name: 'shop', url: "/srv/it's here", active: true, createdAt: at }
export const sampleToken: Token = {
  id: randomUUID(),
  name: 'ci',
  kind: 'person',
  createdAt: at,
  lastUsedAt: null,
  expiresAt: null,
  revokedAt: null,
}

/** Of an agent that would like to drive the reader's terminal. */
export const sampleMessage: Message = {
  id: randomUUID(),
  seq: 1,
  from: { kind: 'worker', name: 'box' },
  to: null,
  channel: 'deploys',
  replyTo: null,
  root: randomUUID(),
  text: 'one\u001b[2J\ntwo',
  data: null,
  at,
}

export function sampleTask(changes: Partial<Task>): Task {
  const id = randomUUID()
  return {
    id,
    short: id.slice(-8),
    title: 'Add a licence',
    repo: 'shop',
    state: 'queued',
    ending: null,
    lane: 'normal',
    tier: 'standard',
    attempt: 0,
    failures: 0,
    retries: 1,
    notBefore: null,
    phase: null,
    worker: null,
    branch: null,
    commit: null,
    createdAt: at,
    startedAt: null,
    endedAt: null,
    description: null,
    run: 'true',
    prompt: null,
    model: null,
    practice: false,
    fixes: 3,
    budgetUsd: null,
    declaredChecks: [],
    after: [],
    needs: [],
    onlyWorker: null,
    fileHints: [],
    criteria: [],
    metadata: {},
    guessedTier: 'standard',
    completeBy: null,
    expiresAt: null,
    assigned: null,
    wall: 'namespace',
    network: 'none',
    mayChange: [],
    allowEmpty: false,
    timeoutMs: 1_800_000,
    epoch: 0,
    deadlineAt: null,
    createdBy: 'owner',
    reason: null,
    checks: [],
    proof: null,
    runId: null,
    ...changes,
  }
}

const noBulk: BulkResult = { changed: [], refused: [], more: false }

export const emptyQueue: Queue = {
  paused: false,
  running: 0,
  maxRunning: 20,
  waiting: 0,
  maxWaiting: 100_000,
  byLane: [],
  oldestWaitMs: null,
  dead: 0,
}

export function sampleWorker(changes: Partial<Worker>): Worker {
  return {
    id: randomUUID(),
    name: 'box',
    connected: true,
    state: 'idle',
    flaggedAt: null,
    status: '',
    version: '0.0.1',
    client: null,
    capabilities: [],
    slots: 2,
    busy: 0,
    cordoned: null,
    walls: [{ kind: 'namespace', ok: true, detail: 'works' }],
    host: null,
    supervisor: null,
    blocked: null,
    restarting: false,
    resources: null,
    lastSeenAt: at,
    createdAt: at,
    ...changes,
  }
}

function titled(body: unknown): Partial<Task> {
  const { title, repo } = body as { title: string; repo: string }
  return { title, repo }
}
