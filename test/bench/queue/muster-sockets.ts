import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { WebSocket } from 'ws'
import type { HubMessage } from '@muster/contract/wire'
import { claimBatch, inParallel, type OpenEngine } from './engine.ts'
import type { Memory } from './memory.ts'
import { benchTask, cordonAll, createFakeWorker, type Said } from './fake-worker.ts'
import { seedBacklog, seedHistory } from './seed-muster.ts'

const hubProgram = join(import.meta.dirname, '../../../apps/hub/src/main.ts')

/** Muster as it is used: the hub in its own process, tasks by HTTP, workers on the socket. Only the runs are nothing. */
export const openMusterSockets: OpenEngine = async (url) => {
  const data = await mkdtemp(join(tmpdir(), 'muster-bench-hub-'))
  const hub = await startHub(url, data)
  const read = async (file: string) => (await readFile(join(data, file), 'utf8')).trim()
  const [personToken, workerToken] = [await read('owner.token'), await read('worker.token')]
  const owner = new Pool({ connectionString: url, options: '-c search_path=muster', max: 1 })
  owner.on('error', () => {})
  const { rows } = await owner.query<{ workspaceId: string; repoId: string }>(
    `insert into repos (workspace_id, id, name, url) select id, gen_random_uuid(), 'bench', '/bench' from workspaces
     returning workspace_id as "workspaceId", id as "repoId"`,
  )
  const { workspaceId = '', repoId = '' } = rows[0] ?? {}
  const agent = new Agent({ keepAlive: true, maxSockets: 100 })
  const submit = () => post(new URL('/api/v1/tasks', hub.url), personToken, agent)
  const failures: unknown[] = []
  let rest = async () => {}
  const mustBeFine = () => {
    if (failures.length > 0) throw new Error(`Muster failed: ${String(failures[0])}`)
  }

  return {
    pids: [hub.pid],
    memory: hub.memory,
    async bulk(count) {
      await inParallel(claimBatch, count, submit)
    },
    enqueue: () => submit(),
    async work(concurrency, onStart) {
      const onError = (error: unknown) => void failures.push(error)
      const worker = await connect(hub.url, workerToken, concurrency, onStart, onError)
      await owner.query(cordonAll, [null])
      rest = async () => {
        await owner.query(cordonAll, ['the bench rests'])
        await worker.close()
      }
    },
    rest: () => rest(),
    async pending() {
      mustBeFine()
      const counted = await owner.query<{ n: number }>('select count(*)::int as n from task_queue')
      return counted.rows[0]?.n ?? 0
    },
    async seedHistory(count) {
      await seedHistory(owner, workspaceId, repoId, count)
      return true
    },
    seedBacklog: (count) => seedBacklog(owner, workspaceId, repoId, count),
    async close() {
      agent.destroy()
      await owner.end()
      await hub.stop()
      await rm(data, { recursive: true, force: true })
      mustBeFine()
    },
  }
}

async function startHub(url: string, data: string) {
  // The lifeline stops it when this process dies, however that happens.
  const child = fork(hubProgram, [], {
    execArgv: ['--expose-gc', '--import', join(import.meta.dirname, 'memory-probe.ts')],
    env: {
      PATH: process.env['PATH'],
      MUSTER_DATABASE_URL: url,
      MUSTER_DATA: data,
      MUSTER_PORT: '0',
      MUSTER_LOCAL: '1',
      MUSTER_LIFELINE: '1',
      MUSTER_LOG_LEVEL: 'error',
      MUSTER_MAX_RUNNING: '10000',
      MUSTER_MAX_WAITING: '10000000',
    },
  })
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the hub ended with ${String(code)} before it served`)
    }),
  ])) as [{ url: string }]
  return {
    url: message.url,
    pid: child.pid ?? 0,
    async memory(): Promise<Memory> {
      child.send('memory')
      const [answer] = (await once(child, 'message')) as [{ memory: Memory }]
      return answer.memory
    },
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** An answer of 503 is no refusal: a run of hours must not end because the machine was busy for a moment. */
async function post(url: URL, token: string, agent: Agent): Promise<void> {
  for (let left = 10; ; left -= 1) {
    const status = await postOnce(url, token, agent)
    if (status === 201) return
    if (status !== 503 || left === 0) throw new Error(`a task was answered ${status}`)
    await sleep(1_000)
  }
}

function postOnce(url: URL, token: string, agent: Agent): Promise<number | undefined> {
  const body = JSON.stringify(benchTask)
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume()
      answer.on('error', reject)
      answer.on('end', () => resolve(answer.statusCode))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** One worker with two batches of slots: as many tasks are leased at once as the other queues' workers hold. */
async function connect(
  url: string,
  token: string,
  concurrency: number,
  onStart: () => void,
  onError: (error: unknown) => void,
) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/workers/socket`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await once(socket, 'open')
  let lastId = 0
  const asked = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  const post = (said: Said | object) => {
    lastId += 1
    socket.send(JSON.stringify({ id: lastId, ...said }))
    return lastId
  }
  const say = (said: Said) =>
    new Promise<void>((resolve, reject) => asked.set(post(said), { resolve, reject }))
  const worker = createFakeWorker({ concurrency, cycle: 'whole', onStart, say, onError })
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as HubMessage
    if (message.type === 'assign') worker.take(message.assignment)
    if (message.type !== 'reply') return
    const question = asked.get(message.to)
    asked.delete(message.to)
    if (message.ok) question?.resolve()
    else question?.reject(new Error(message.error?.message))
  })
  post({
    type: 'hello',
    wire: 1,
    instance: 'bench',
    version: '0',
    host: 'bench',
    slots: 2 * claimBatch,
    walls: [{ kind: 'namespace', ok: true, detail: 'not looked at' }],
    holding: [],
  })
  const renewal = setInterval(() => void worker.renew().catch(onError), 3_000)
  return {
    async close() {
      await worker.idle()
      clearInterval(renewal)
      const gone = once(socket, 'close')
      socket.close()
      await gone
    },
  }
}
