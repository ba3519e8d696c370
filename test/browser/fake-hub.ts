import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { docsFor, errorTable, type ErrorCode } from '@muster/contract/errors'
import type { Event, EventKind } from '@muster/contract/events'
import type { Token } from '@muster/contract/identity'
import { liveSubscribe } from '@muster/contract/live'
import type { Step } from '@muster/contract/loop'
import type { TaskSelection } from '@muster/contract/queue'
import type { Repo } from '@muster/contract/repos'
import type { Route } from '@muster/contract/route'
import { routes, type RouteName } from '@muster/contract/routes'
import type { OutputChunk, Run } from '@muster/contract/runs'
import { taskMay } from '@muster/contract/task-states'
import type { Task, TaskCreate } from '@muster/contract/tasks'
import type { Worker } from '@muster/contract/workers'
import { json, page, send } from './fake-answer.ts'
import { modelVerb, type FakeModels } from './fake-models.ts'
import { inBulk, queueOf, queueVerb, workerVerb } from './fake-queue.ts'
import { servePage } from './fake-page.ts'
import { fromOrder, newTask } from './fake-task.ts'

export class Refusal extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

type Call = {
  name: RouteName
  params: Record<string, string>
  query: Record<string, unknown>
  body: unknown
  key: string | undefined
  who: string | undefined
}

/**
 * A hub without a database, for states that are hard to reach with a real one: it speaks the contract's HTTP and
 * WebSocket over a real socket, parses what it gets and what it answers with the contract's own schemas, and lets a
 * test put any task, output, diff or refusal where it wants it.
 */
export class FakeHub {
  tasks: Task[] = []
  runs: Run[] = []
  repos: Repo[] = []
  workers: Worker[] = []
  tokens: Token[] = []
  models: FakeModels = { endpoints: [], missing: [], cloudAllowed: false }
  paused = false
  /** Ids of tasks that the bulk verbs refuse. */
  stubborn = new Set<string>()
  events: Event[] = []
  output = new Map<string, OutputChunk[]>()
  diffs = new Map<string, string>()
  steps = new Map<string, Step[]>()
  links = new Set<string>()
  sessions = new Set<string>()
  password: string | null = null
  /** Answers the next command of this name with a refusal, and every reading: a page reads again when it likes. */
  refusals = new Map<RouteName, Refusal>()
  calls: Call[] = []
  /** Appended to the page's HTML and policy, for the control that shows what a working injection looks like. */
  sabotage: { html: string; scriptSource: string } | null = null

  readonly #http = createServer((request, response) => void this.#serve(request, response))
  readonly #sockets = new WebSocketServer({ noServer: true })
  readonly #followers = new Map<WebSocket, string | undefined>()
  readonly #replies = new Map<string, unknown>()

  constructor() {
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.#signedIn(request) === undefined) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#follow(client))
    })
  }

  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(port, '127.0.0.1', resolve))
    return this.url
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const client of this.#followers.keys()) client.terminate()
    this.#http.closeAllConnections()
    await new Promise<void>((resolve) => this.#http.close(() => resolve()))
  }

  /** Drops every live connection, as a hub that restarts does. */
  dropConnections(): void {
    for (const client of this.#followers.keys()) client.terminate()
  }

  signInLink(): string {
    const secret = randomUUID()
    this.links.add(secret)
    return `${this.url}/sign-in#link=${secret}`
  }

  event(kind: EventKind, task: Task | null, data: Record<string, unknown> = {}): void {
    const event: Event = {
      cursor: String(this.events.length + 1),
      kind,
      taskId: task?.id ?? null,
      runId: null,
      actor: 'owner',
      data,
      at: new Date().toISOString(),
    }
    this.events.push(event)
    for (const client of this.#followers.keys()) send(client, { type: 'event', event })
  }

  /** Changes a task and says so, as the hub does in one transaction. */
  change(task: Task, part: Partial<Task>, kind: EventKind = 'task.phase'): void {
    Object.assign(task, part)
    this.event(kind, task, part.phase === undefined ? {} : { phase: part.phase })
  }

  write(task: Task, text: string, stream: OutputChunk['stream'] = 'stdout'): void {
    const kept = this.output.get(task.id) ?? []
    const chunk: OutputChunk = {
      seq: kept.length + 1,
      runId: task.runId ?? task.id,
      stream,
      text,
      at: new Date().toISOString(),
    }
    this.output.set(task.id, [...kept, chunk])
    for (const [client, followed] of this.#followers) {
      if (followed === task.id) send(client, { type: 'output', taskId: task.id, chunk })
    }
  }

  /** What the model of a task says just now. */
  delta(task: Task, text: string): void {
    for (const [client, followed] of this.#followers)
      if (followed === task.id) send(client, { type: 'delta', taskId: task.id, channel: 'text', text })
  }

  step(task: Task, step: Step): void {
    this.steps.set(task.id, [...(this.steps.get(task.id) ?? []), step])
    this.event('run.step', task, { seq: step.seq })
  }

  progress(task: Task, text: string, percent: number | null): void {
    for (const client of this.#followers.keys())
      send(client, { type: 'progress', taskId: task.id, text, percent })
  }

  #follow(client: WebSocket): void {
    this.#followers.set(client, undefined)
    client.on('close', () => this.#followers.delete(client))
    client.on('message', (data: Buffer) => {
      const { after, output } = liveSubscribe.parse(JSON.parse(data.toString()))
      this.#followers.set(client, output?.taskId)
      if (after === undefined) send(client, { type: 'caught_up', cursor: String(this.events.length) })
      for (const event of this.events.slice(Number(after ?? this.events.length))) {
        send(client, { type: 'event', event })
      }
      for (const chunk of this.output.get(output?.taskId ?? '')?.slice(output?.after ?? 0) ?? []) {
        send(client, { type: 'output', taskId: output?.taskId ?? '', chunk })
      }
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    if (!url.pathname.startsWith('/api/')) return servePage(url.pathname, response, this.sabotage)
    try {
      const call = await this.#parse(request, url)
      this.calls.push(call)
      const { method, status, response: schema }: Route = routes[call.name]
      const refusal = this.refusals.get(call.name)
      if (method !== 'GET') this.refusals.delete(call.name)
      if (refusal !== undefined) throw refusal
      json(response, status, schema.parse(this.#once(call, response)))
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 'internal'
      const { status, hint } = errorTable[code]
      json(response, status, {
        code,
        message: (error as Error).message,
        hint,
        docs: docsFor(code),
        requestId: 'req-1',
      })
    }
  }

  /** The same key gets the same answer, without doing it twice. */
  #once(call: Call, response: ServerResponse): unknown {
    const key = call.key === undefined ? undefined : `${call.name} ${call.key}`
    if (key !== undefined && this.#replies.has(key)) return this.#replies.get(key)
    const reply = this.#answer(call, response)
    if (key !== undefined) this.#replies.set(key, reply)
    return reply
  }

  async #parse(request: IncomingMessage, url: URL): Promise<Call> {
    for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
      const pattern = new RegExp(`^${route.path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
      const params = { ...pattern.exec(url.pathname)?.groups }
      if (route.method !== request.method || !pattern.test(url.pathname)) continue
      const who = this.#signedIn(request)
      if (route.who === 'person' && who === undefined) {
        throw new Refusal('unauthenticated', 'No valid token or session came with the request.')
      }
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const raw: unknown = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
      const body = route.body?.safeParse(raw)
      if (body?.success === false) {
        const [issue] = body.error.issues
        throw new Refusal('invalid_request', `${issue?.path.join('.')}: ${issue?.message}`)
      }
      const key = request.headers['idempotency-key']
      return {
        name,
        params,
        query: (route.query?.parse(Object.fromEntries(url.searchParams)) ?? {}) as Record<string, unknown>,
        body: body?.data,
        key: typeof key === 'string' ? key : undefined,
        who,
      }
    }
    throw new Refusal('not_found', 'Nothing has that address.')
  }

  #signedIn(request: IncomingMessage): string | undefined {
    const session = /muster_session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    return session !== undefined && this.sessions.has(session) ? session : undefined
  }

  #answer(call: Call, response: ServerResponse): unknown {
    const task = call.params['task'] === undefined ? undefined : this.#task(call.params['task'])
    switch (call.name) {
      case 'signIn':
        return this.#signIn(call.body as { link?: string; password?: string }, response)
      case 'signOut':
        this.sessions.delete(call.who ?? '')
        return { ok: true }
      case 'me':
        return this.#me()
      case 'setPassword':
        this.password = (call.body as { password: string }).password
        return { ok: true }
      case 'listTokens':
        return page(this.tokens)
      case 'createToken':
        return this.#createToken(call.body as { name: string; kind: 'person' | 'worker' })
      case 'revokeToken':
        for (const token of this.tokens)
          if (token.id === call.params['id']) token.revokedAt = new Date().toISOString()
        return { ok: true }
      case 'listRepos':
        return page(this.repos)
      case 'addRepo':
        return this.addRepo((call.body as Repo).name, (call.body as Repo).url)
      case 'listWorkers':
        return page(this.workers)
      case 'cordonWorker':
      case 'uncordonWorker':
      case 'stopWorker':
      case 'restartWorker':
        return workerVerb(
          this,
          call.name,
          this.#worker(call.params['worker']),
          call.body as { reason?: string },
        )
      case 'listModels':
      case 'setModelTier':
      case 'allowCloud':
      case 'addEndpoint':
      case 'getEndpoint':
      case 'refreshEndpoint':
      case 'removeEndpoint': {
        const answer = modelVerb(this.models, call.name, call.params['endpoint'], call.body)
        if (answer === undefined) throw new Refusal('endpoint_not_found', 'No endpoint has that name.')
        return answer
      }
      case 'getQueue':
        return queueOf(this)
      case 'pauseQueue':
      case 'resumeQueue':
      case 'stopQueue':
        return queueVerb(this, call.name)
      case 'retryTasks':
      case 'deleteTasks':
        return inBulk(this, call.name, call.body as TaskSelection)
      case 'taskHistory':
        return page(this.events.filter((event) => event.taskId === task?.id).slice(-50))
      case 'listTasks':
        return this.#list(call.query as { state?: string; repo?: string; limit: number; cursor?: string })
      case 'createTask':
        return this.addTask(fromOrder(call.body as TaskCreate))
      case 'getTask':
        return task
      case 'cancelTask':
      case 'retryTask':
        return this.#verb(call.name, task as Task)
      case 'taskRuns':
        return page(this.runs.filter((run) => run.taskId === task?.id))
      case 'taskSteps':
        return { items: this.steps.get(task?.id ?? '') ?? [], nextAfter: null }
      case 'taskDiff':
        return {
          base: null,
          commit: task?.commit,
          branch: task?.branch,
          diff: this.diffs.get(task?.id ?? '') ?? '',
          truncated: false,
        }
      default:
        throw new Refusal('not_found', `The fake hub has no ${call.name}.`)
    }
  }

  addRepo(name: string, url: string): Repo {
    const repo = { id: randomUUID(), name, url, active: true, createdAt: new Date().toISOString() }
    this.repos.push(repo)
    this.event('repo.added', null)
    return repo
  }

  addTask(part: Partial<Task>): Task {
    const task = newTask(part)
    this.tasks.unshift(task)
    this.event('task.created', task)
    return task
  }

  #signIn({ link, password }: { link?: string; password?: string }, response: ServerResponse): unknown {
    const byLink = link !== undefined && this.links.delete(link)
    const byPassword = password !== undefined && password === this.password
    if (!byLink && !byPassword) {
      throw new Refusal(
        'sign_in_refused',
        link === undefined ? 'The password is wrong.' : 'This sign-in link was used already or is too old.',
      )
    }
    const session = randomUUID()
    this.sessions.add(session)
    response.setHeader('set-cookie', `muster_session=${session}; HttpOnly; SameSite=Strict; Path=/`)
    return this.#me()
  }

  #me() {
    return {
      actor: 'owner',
      kind: 'person',
      workspace: { id: '0197f7a0-0000-7000-8000-000000000001', name: 'default' },
      hasPassword: this.password !== null,
    }
  }

  #createToken({ name, kind }: { name: string; kind: 'person' | 'worker' }) {
    const createdAt = new Date().toISOString()
    const token: Token = {
      id: randomUUID(),
      name,
      kind,
      createdAt,
      lastUsedAt: null,
      expiresAt: null,
      revokedAt: null,
    }
    this.tokens.unshift(token)
    return { ...token, secret: `muster_${name}_secret_shown_once` }
  }

  #list(query: { state?: string; repo?: string; limit: number; cursor?: string }) {
    const states = query.state?.split(',')
    const matching = this.tasks.filter(
      (task) =>
        (states?.includes(task.state) ?? true) && (query.repo === undefined || task.repo === query.repo),
    )
    const from = query.cursor === undefined ? 0 : matching.findIndex((task) => task.id === query.cursor) + 1
    const items = matching.slice(from, from + query.limit)
    return { items, nextCursor: from + query.limit < matching.length ? (items.at(-1)?.id ?? null) : null }
  }

  #verb(name: 'cancelTask' | 'retryTask', task: Task): Task {
    const verb = name === 'cancelTask' ? 'cancel' : 'retry'
    if (!taskMay(verb, task.state)) {
      throw new Refusal('task_state_refuses', `Task ${task.short} is ${task.state}; ${verb} is refused.`)
    }
    if (verb === 'cancel') {
      const end = {
        state: 'cancelled',
        ending: 'cancelled',
        phase: null,
        endedAt: new Date().toISOString(),
      } as const
      this.change(task, { ...end, reason: 'Cancelled by owner.' }, 'task.cancelled')
    } else {
      this.change(
        task,
        { state: 'queued', ending: null, reason: null, endedAt: null, startedAt: null },
        'task.retried',
      )
    }
    return task
  }

  #worker(name: string | undefined): Worker {
    const worker = this.workers.find((each) => each.name === name)
    if (worker === undefined) throw new Refusal('not_found', `No worker is called ${name}.`)
    return worker
  }

  #task(ref: string): Task {
    const task = this.tasks.find(({ id, short }) => id === ref || short === ref)
    if (task === undefined) throw new Refusal('not_found', 'No task has that id.')
    return task
  }
}
