import type { EndpointCreate } from '@muster/contract/models'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { isCloud, readAddress } from './address.ts'
import { ask } from '@muster/llm/discover/ask'
import type { Record } from './record.ts'
import { keyFor, type ModelSettings } from './settings.ts'
import * as store from './store.ts'

// More is a mistake of a script, and each is asked every 30 s.
const mostEndpoints = 100

/** What people do with endpoints. */
export function createRegistry(deps: { events: Events; settings: ModelSettings; record: Record }) {
  const { events, settings, record } = deps
  const find = async (tx: Tx, ref: string): Promise<store.EndpointRow> => {
    const row = await store.find(tx, ref)
    if (row === undefined) throw new MusterError('endpoint_not_found', `No endpoint is called ${ref}.`)
    return row
  }
  return {
    find,

    /** Asks the server before the transaction that adds it; throws when the address is refused. Changes nothing. */
    async probe({ kind, url: text, models }: EndpointCreate) {
      const url = readAddress(kind, text)
      return {
        url,
        answer: await ask({ kind, url, key: keyFor(settings, { kind, url }), named: models, known: [] }),
      }
    },

    async add(tx: Tx, actor: Actor, input: EndpointCreate, probed: Probed): Promise<store.EndpointRow> {
      const all = await store.list(tx)
      if (all.length >= mostEndpoints) {
        throw new MusterError('too_many_endpoints', `There are ${all.length} endpoints already.`)
      }
      const made = await store.insert(tx, actor.workspaceId, {
        id: newId(),
        name: input.name,
        kind: input.kind,
        url: probed.url,
        source: 'manual',
        worker_id: null,
        worker: null,
        cloud: input.cloud ?? isCloud(probed.url),
        run_limit: input.limit,
        named_models: input.models,
      })
      if (made === undefined) throw await whyNotAdded(tx, input, probed.url)
      const data = { endpointId: made.id, name: made.name, kind: made.kind, url: made.url, cloud: made.cloud }
      await events.publish(tx, actor, { kind: 'endpoint.added', data })
      await record(tx, made, probed.answer)
      return made
    },

    async remove(tx: Tx, actor: Actor, ref: string): Promise<void> {
      const row = await find(tx, ref)
      if (row.source === 'settings') {
        throw new MusterError('endpoint_from_settings', `${row.name} is an endpoint of the hub’s settings.`)
      }
      await store.remove(tx, row.id)
      await events.publish(tx, actor, {
        kind: 'endpoint.removed',
        data: { endpointId: row.id, name: row.name },
      })
    },
  }
}

type Probed = { url: string; answer: Awaited<ReturnType<typeof ask>> }

async function whyNotAdded(tx: Tx, { name }: EndpointCreate, url: string): Promise<MusterError> {
  if ((await store.find(tx, name)) !== undefined) {
    return new MusterError('endpoint_name_taken', `An endpoint called ${name} is already registered.`)
  }
  return new MusterError('endpoint_exists', `${url} is already registered under another name.`)
}
