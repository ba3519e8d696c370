import { routes, type RouteName } from '@muster/contract/routes'
import { eventually } from '@muster/testkit/eventually'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { addRepo, addWorkspace, startHub, type TestHub } from '../../test-support/hub.ts'
import { refusal, type CallOptions } from '../../test-support/http.ts'
import { failed, verified } from '../../test-support/rooms.ts'
import { connectWorker } from '../../test-support/worker-client.ts'

/** The hub's own workspace is A; B has one thing of every kind, with a word in it that nothing of A has. */
async function twoTenants() {
  const hub = await startHub()
  await addRepo(hub.database, hub.workspaceId)
  const b = await addWorkspace(hub.database, 'canary-workspace')
  await addRepo(hub.database, b.workspaceId, 'canary-repo')
  const asB = (input: CallOptions = {}) => ({ ...input, token: b.token })
  const body = { repo: 'canary-repo', title: 'canary-task', run: 'echo canary' }
  const task = await hub.call('createTask', asB({ body }))
  const parent = await hub.call('createTask', asB({ body: { ...body, lane: 'low' } }))
  const made = await hub.call('createToken', asB({ body: { name: 'canary-worker', kind: 'worker' } }))
  const worker = await connectWorker(hub.url, { token: made.secret })
  const { epoch, runId } = await worker.assigned()
  const held = { taskId: task.id, epoch }
  const print = (batch: number, text: string) =>
    worker.request({ type: 'output', ...held, batch, chunks: [{ stream: 'stdout', text }] })
  await print(0, 'canary-output')
  const message = await hub.call('sendMessage', asB({ body: { to: null, text: 'canary-message' } }))
  await hub.call('createChannel', asB({ body: { name: 'canary-channel' } }))
  await hub.call('setPrice', asB({ body: { model: 'canary-model', inputUsd: 1, outputUsd: 1 } }))
  // Nothing listens there; it is registered all the same.
  const endpoint = await hub.call(
    'addEndpoint',
    asB({ body: { name: 'canary-endpoint', url: 'http://127.0.0.1:1' } }),
  )
  return { hub, b, asB, task, parent, made, message, worker, endpoint, held, runId, print }
}
type Tenants = Awaited<ReturnType<typeof twoTenants>>

const aBody = { repo: 'demo', title: 'mine', run: 'true' }

/** Every operation that takes an id, with an id of B and with one of nobody. An operation without a line fails the test. */
const placements: Record<
  RouteName,
  | null
  | ((id: {
      task: string
      short: string
      token: string
      worker: string
      message: string
      endpoint: string
    }) => CallOptions[])
> = {
  getTask: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  cancelTask: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  retryTask: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  deleteTask: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  taskHistory: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  pushTask: ({ task, short }) => [
    { params: { task }, body: { worker: 'w' } },
    { params: { task: short }, body: { worker: 'w' } },
  ],
  retryTasks: null,
  deleteTasks: null,
  getQueue: null,
  pauseQueue: null,
  resumeQueue: null,
  stopQueue: null,
  cordonWorker: null,
  uncordonWorker: null,
  stopWorker: null,
  activateRepo: null,
  deactivateRepo: null,
  taskRuns: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  taskLog: ({ task, short }) => [{ params: { task } }, { params: { task: short }, query: { after: '0' } }],
  taskSteps: ({ task, short }) => [{ params: { task } }, { params: { task: short }, query: { after: '0' } }],
  taskDiff: ({ task, short }) => [{ params: { task } }, { params: { task: short } }],
  revokeToken: ({ token }) => [{ params: { id: token } }],
  createTask: ({ task }) => [{ body: { ...aBody, after: [task] } }],
  listTasks: ({ task }) => [{ query: { cursor: task } }],
  listRuns: ({ task }) => [{ query: { cursor: task } }],
  listEvents: ({ task }) => [{ query: { taskId: task } }],
  getWorker: ({ worker }) => [{ params: { worker } }],
  restartWorker: ({ worker }) => [{ params: { worker } }],
  getEndpoint: ({ endpoint }) => [{ params: { endpoint } }],
  refreshEndpoint: ({ endpoint }) => [{ params: { endpoint } }],
  removeEndpoint: ({ endpoint }) => [{ params: { endpoint } }],
  addEndpoint: null,
  listModels: null,
  getCosts: null,
  setBudget: null,
  getCalls: null,
  setCallLimit: null,
  listPrices: null,
  setPrice: null,
  removePrice: () => [{ params: { model: 'canary-model' } }],
  setModelTier: null,
  allowCloud: null,
  listMessages: ({ message }) => [{ query: { thread: message } }],
  sendMessage: ({ message }) => [{ body: { text: 'x', replyTo: message } }],
  listChannels: null,
  createChannel: null,
  signIn: null,
  signOut: null,
  createSignInLink: null,
  me: null,
  setPassword: null,
  listTokens: null,
  createToken: null,
  listRepos: null,
  addRepo: null,
  listWorkers: null,
}

test.each(Object.keys(routes) as RouteName[])(
  '%s answers an id of another workspace as one of nobody',
  async (name) => {
    const place = placements[name]
    if (place === null) return
    const { hub, task, made, message, worker, endpoint, asB } = await twoTenants()
    const unknown = {
      task: `${task.id.slice(0, -8)}00000000`,
      short: '00000000',
      token: crypto.randomUUID(),
      worker: crypto.randomUUID(),
      message: crypto.randomUUID(),
      endpoint: crypto.randomUUID(),
    }
    const workerId = worker.welcome?.workerId ?? ''
    const theirs = place({
      task: task.id,
      short: task.short,
      token: made.id,
      worker: workerId,
      message: message.id,
      endpoint: endpoint.id,
    })
    for (const [n, input] of theirs.entries()) {
      const known = await hub.attempt(name, input)
      const random = await hub.attempt(name, place(unknown)[n])
      const bare = (text: string) =>
        text
          .replaceAll(/"requestId":"[^"]+"/g, '')
          .replaceAll(
            new RegExp(
              [
                task.id,
                task.short,
                made.id,
                workerId,
                message.id,
                endpoint.id,
                ...Object.values(unknown),
              ].join('|'),
              'g',
            ),
            'ID',
          )
      expect([known.status, bare(known.text)]).toEqual([random.status, bare(random.text)])
      expect([200, 404, 422]).toContain(known.status)
      expect(known.text).not.toContain('canary')
      // The control: for B itself the same request finds it.
      const own = await hub.attempt(name, asB(input))
      if (known.status === 404) expect(own.status, own.text).not.toBe(404)
    }
  },
)

test('no list shows anything of another workspace, and each shows its own', async () => {
  const { hub, asB } = await twoTenants()
  await hub.call('createTask', { body: aBody })
  const lists = [
    'listTasks',
    'listRepos',
    'listWorkers',
    'listTokens',
    'listRuns',
    'listEvents',
    'listMessages',
    'listChannels',
    'me',
  ] as const
  for (const name of lists) {
    const mine = JSON.stringify(await hub.call(name))
    expect(mine, name).not.toContain('canary')
    expect(JSON.stringify(await hub.call(name, asB())), name).toMatch(/canary/)
  }
  // A filter by a name of B finds nothing either.
  expect((await hub.call('listTasks', { query: { repo: 'canary-repo' } })).items).toEqual([])
  const answer = await hub.attempt('createTask', { body: { ...aBody, repo: 'canary-repo' } })
  expect(refusal(answer)).toEqual({ status: 422, code: 'repo_not_found' })
})

test('the live view of one workspace never shows events, output or progress of another', async () => {
  const { hub, b, task, held, worker, print } = await twoTenants()
  const spy = await hub.live({ after: '0-0', output: { taskId: task.id } })
  const own = await connectLiveOf(hub, b.token, task.id)
  worker.post({ type: 'progress', ...held, text: 'canary-progress', percent: 1 })
  await print(1, 'canary-late')
  await worker.request({ type: 'phase', ...held, phase: 'running' })
  const mine = await hub.call('createTask', { body: aBody })
  await eventually(() => spy.events().some((event) => event.taskId === mine.id))
  await eventually(
    () => own.output().length === 2 && own.received.some((message) => message.type === 'progress'),
  )
  await sleep(50)
  expect(JSON.stringify(spy.received)).not.toContain('canary')
  expect(JSON.stringify(spy.received)).not.toContain(task.id)
  expect(spy.output()).toEqual([])
})

function connectLiveOf(hub: TestHub, token: string, taskId: string) {
  return hub.live({ token, after: '0-0', output: { taskId } })
}

/** Everything that a worker can say about a run. */
async function sayEverything(worker: Tenants['worker'], { held, runId }: Pick<Tenants, 'held' | 'runId'>) {
  const branch = 'muster/shell/canary'
  return {
    accept: await worker.request({ type: 'accept', ...held }),
    phase: await worker.request({ type: 'phase', ...held, phase: 'running' }),
    output: await worker.request({
      type: 'output',
      ...held,
      batch: 9,
      chunks: [{ stream: 'stdout', text: 'forged' }],
    }),
    publish: await worker.request({ type: 'publish', ...held, branch, commit: 'c'.repeat(40) }),
    refuse: await worker.request({ type: 'refuse', ...held, code: 'x', reason: 'x' }),
    verified: await worker.request({ type: 'finish', ...held, runId, result: verified(branch) }),
    failed: await worker.request({ type: 'finish', ...held, runId, result: failed() }),
  }
}

test.each(['another workspace', 'the same workspace'])(
  'a worker of %s can touch nothing of a run it does not hold',
  async (where) => {
    const tenants = await twoTenants()
    const { hub, asB, task, held, runId } = tenants
    const token =
      where === 'another workspace'
        ? await hub.workerToken('intruder')
        : (await hub.call('createToken', asB({ body: { name: 'intruder', kind: 'worker' } }))).secret
    // It holds nothing and, with no working wall, gets nothing.
    const walls = [{ kind: 'namespace' as const, ok: false, detail: 'none' }]
    const claimed = [{ ...held, runId, phase: 'running' as const }]
    const intruder = await connectWorker(hub.url, { token, instance: 'other', walls, holding: claimed })
    expect(intruder.welcome?.decisions).toMatchObject([{ action: 'abort' }])
    for (const [what, reply] of Object.entries(await sayEverything(intruder, tenants))) {
      expect(reply, what).toMatchObject({ ok: false, error: { code: 'stale_epoch' } })
    }
    expect(await intruder.request({ type: 'renew', leases: [held] })).toMatchObject({ lost: [held] })
    const seen = await hub.call('getTask', asB({ params: { task: task.id } }))
    expect(seen).toMatchObject({ state: 'assigned', worker: 'canary-worker' })
    expect((await hub.call('taskLog', asB({ params: { task: task.id } }))).items).toHaveLength(1)
    // The control: its holder may still do it.
    expect(await tenants.worker.request({ type: 'accept', ...held })).toMatchObject({ ok: true })
  },
)

test('a trace of an intruder is left in its own workspace only', async () => {
  const tenants = await twoTenants()
  const { hub, asB } = tenants
  const intruder = await hub.worker()
  await sayEverything(intruder, tenants)
  const kinds = (await hub.call('listEvents', { query: { limit: '500' } })).items.map((event) => event.kind)
  expect(kinds).toContain('run.refused_stale')
  const theirs = (await hub.call('listEvents', asB({ query: { limit: '500' } }))).items.map(
    (event) => event.kind,
  )
  expect(theirs).not.toContain('run.refused_stale')
})

test('tasks of one workspace are never given to a worker of another', async () => {
  const { hub } = await twoTenants()
  const worker = await hub.worker({ slots: 5 })
  await sleep(100)
  expect(worker.received.filter((message) => message.type === 'assign')).toEqual([])
  const mine = await hub.call('createTask', { body: aBody })
  expect((await worker.assigned()).taskId).toBe(mine.id)
})

test.each((Object.keys(routes) as RouteName[]).filter((name) => routes[name].who === 'person'))(
  'a worker token may not call %s',
  async (name) => {
    const hub = await startHub({ loops: false })
    const token = await hub.workerToken('w')
    const ids = { task: '00000000', id: crypto.randomUUID() }
    expect(refusal(await hub.attempt(name, { token, params: ids }))).toEqual({
      status: 403,
      code: 'forbidden',
    })
    expect(refusal(await hub.attempt(name, { token: null, params: ids }))).toEqual({
      status: 401,
      code: 'unauthenticated',
    })
  },
)
