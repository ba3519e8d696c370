import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskCreateInput } from '@muster/contract/tasks'
import type { Random } from '../random.ts'
import { commandOf } from '../rig/stand-in.ts'
import type { History } from './history.ts'

// A hub that is frozen or behind a dead link answers nothing; the client gives up and asks again under the same key.
const answerWithinMs = 1_500
const clients = 2

/**
 * Clients that hand in tasks until they are stopped: each key is sent until it is acknowledged, some are sent again
 * after that, some tasks are cancelled, some wait for an earlier one.
 */
export function startLoad(options: {
  urls: () => string[]
  token: string
  random: Random
  history: History
  /** Starts every key and title, so that the tasks of one round can be told from the others'. */
  prefix: string
  /** Handed in at once; after that about 20 a second. */
  burst: number
}) {
  const { random, history, prefix, token } = options
  const stopping = new AbortController()
  let giveUpAt = Number.POSITIVE_INFINITY
  let lastKey = 0
  let lastId: string | undefined
  let acknowledged = 0

  const running = Array.from({ length: clients }, () => client())
  async function client(): Promise<void> {
    while (!stopping.signal.aborted) {
      await handIn()
      if (acknowledged >= options.burst) await sleep(random.between(40, 160))
    }
  }

  async function handIn(): Promise<void> {
    const key = `${prefix}${++lastKey}`
    const body = taskOf(key)
    const id = await create(key, body, false)
    if (id === undefined) return
    acknowledged += 1
    lastId = id
    if (random.chance(0.1) && !stopping.signal.aborted) await create(key, body, true)
    if (random.chance(0.05)) await cancel(id, random.between(0, 150))
  }

  function taskOf(key: string): TaskCreateInput {
    return {
      repo: 'demo',
      title: key,
      run: commandOf({ phaseMs: random.between(5, 60), passes: random.chance(0.93) }),
      // Another try comes two seconds later at the earliest, which not every round can wait for.
      retries: random.chance(0.2) ? 1 : 0,
      lane: random.pick(['urgent', 'high', 'normal', 'normal', 'normal', 'low']),
      checks: random.chance(0.5) ? [{ kind: 'file_exists', target: 'a.txt' }] : [],
      after: lastId !== undefined && random.chance(0.08) ? [lastId] : [],
    }
  }

  async function create(key: string, body: TaskCreateInput, repeat: boolean): Promise<string | undefined> {
    const answer = await insist(`create ${key}`, '/api/v1/tasks', body, key, [201])
    const id = (answer?.body as { id?: string } | undefined)?.id
    if (id !== undefined) history.note({ what: 'created', key, id, repeat })
    return id
  }

  async function cancel(id: string, afterMs: number): Promise<void> {
    await sleep(afterMs)
    // 409: it had ended by itself.
    const answer = await insist(
      `cancel ${id}`,
      `/api/v1/tasks/${id}/cancel`,
      {},
      `${prefix}cancel-${id}`,
      [200, 409],
    )
    if (answer?.status === 200) history.note({ what: 'cancelled', id })
  }

  /** Sends until there is an answer that ends the matter. */
  async function insist(of: string, path: string, body: unknown, key: string, good: number[]) {
    for (let attempt = 0; Date.now() < giveUpAt; attempt++) {
      const urls = options.urls()
      const answer = await post(`${urls[attempt % urls.length]}${path}`, body, key)
      if (answer !== undefined && good.includes(answer.status)) return answer
      if (answer !== undefined && !isTryAgain(answer)) {
        const { status, text } = answer
        history.note({ what: 'wrong_answer', of, status, text: text.slice(0, 300) })
        if (status < 500) return undefined
      }
      await sleep(random.between(50, 150))
    }
    history.note({ what: 'never_answered', of })
    return undefined
  }

  async function post(url: string, body: unknown, key: string) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(answerWithinMs),
      })
      const text = await response.text()
      const retryAfter = response.headers.get('retry-after')
      return { status: response.status, retryAfter, text, body: response.ok ? JSON.parse(text) : undefined }
    } catch {
      // No hub, no answer, or half of one: nothing is known about the request.
      return undefined
    }
  }

  return {
    /** No new tasks; those under way are sent until they are acknowledged. */
    async stop(limitMs: number): Promise<void> {
      stopping.abort()
      giveUpAt = Date.now() + limitMs
      await Promise.all(running)
    },
  }
}

/** 503 with the time to wait is how the hub says that its database is away. */
function isTryAgain(answer: { status: number; retryAfter: string | null }): boolean {
  return answer.status === 503 && answer.retryAfter !== null
}
