import type { WorkerMessage } from '@muster/contract/wire'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { isCloud, isLoopback, readAddress } from './address.ts'
import { freeName } from './care.ts'
import type { Record } from './record.ts'
import * as store from './store.ts'

type Report = Extract<WorkerMessage, { type: 'ollama_report' }>
type From = { workerId: string; name: string }

/**
 * Workers say what Ollama they have beside them (LLM-15). The hub cannot ask it: at most its worker reaches it, so its health
 * is what the worker says, and nothing at all when it says nothing.
 */
export function createReport({ db, events, record }: { db: Db; events: Events; record: Record }) {
  const announced = async (tx: Tx, actor: Actor, { workerId, name }: From, url: string) => {
    const made = await store.insert(tx, actor.workspaceId, {
      id: newId(),
      name: freeName(name, await store.list(tx)),
      kind: 'ollama',
      url,
      source: 'worker',
      worker_id: workerId,
      worker: name,
      cloud: isCloud(url),
      run_limit: 4,
      named_models: [],
    })
    if (made === undefined) return undefined
    const data = { endpointId: made.id, name: made.name, kind: made.kind, url, cloud: made.cloud, workerId }
    await events.publish(tx, actor, { kind: 'endpoint.added', data })
    return made
  }

  return {
    async handle(actor: Actor, from: From, { url: said, version, models, problem }: Report): Promise<void> {
      const url = readAddress('ollama', said)
      await db.inWorkspace(actor.workspaceId, async (tx) => {
        const there = await store.list(tx)
        // An address that means the same to everybody and is known already is not another endpoint.
        const isKnown = there.some((row) => row.url === url && row.worker_id !== from.workerId)
        if (isKnown && !isLoopback(url)) return
        const own = there.find((row) => row.worker_id === from.workerId)
        if (own === undefined && models === null) return
        const row = own ?? (await announced(tx, actor, from, url))
        if (row === undefined) return
        if (row.url !== url) await store.move(tx, row.id, { url, cloud: isCloud(url) })
        await record(tx, row, models === null ? { why: problem ?? 'no answer' } : { version, models })
      })
    },
  }
}
