import { workspaceIds } from '../identity/identity.ts'
import type { Db } from '../kernel/db.ts'
import { newId } from '../kernel/ids.ts'
import { isCloud } from './address.ts'
import { ask } from '@muster/llm/discover/ask'
import type { Record } from './record.ts'
import { keyFor, type ModelSettings } from './settings.ts'
import { claimDue, forgetHealth, silent } from './sql/due.ts'
import * as store from './store.ts'

/**
 * Looks after the endpoints of all workspaces: registers those of the settings, and asks each how it is, every 30 s.
 *
 * This is a loop of every hub and not a duty of one (kernel/duty.ts): a duty works inside one transaction, and asking
 * takes as long as somebody else's server likes. Instead a hub claims what is due for 15 s, asks outside of any
 * transaction, and writes down what it heard. So each endpoint is asked by one hub at a time and several share the work.
 */
export function createCare(deps: { db: Db; settings: ModelSettings; record: Record }) {
  const { db, settings, record } = deps
  const closing = new AbortController()
  const registered = new Set<string>()
  let begun = false

  const check = async ({ workspace_id: workspaceId, id }: { workspace_id: string; id: string }) => {
    const [row, known] = await db.inWorkspace(workspaceId, (tx) =>
      Promise.all([store.find(tx, id), store.listModels(tx)]),
    )
    if (row === undefined) return
    const answer = await ask({
      kind: row.kind,
      url: row.url,
      key: keyFor(settings, row),
      named: row.named_models,
      known: known.filter((model) => model.endpoint_id === id).map(store.toFound),
      signal: closing.signal,
    })
    if (closing.signal.aborted) return
    await db.inWorkspace(workspaceId, (tx) => record(tx, row, answer))
  }

  return {
    async care(): Promise<void> {
      if (!begun) await db.askAsSystem(forgetHealth, [])
      begun = true
      for (const workspaceId of await workspaceIds(db)) {
        if (!registered.has(workspaceId)) await register(db, settings, workspaceId)
        registered.add(workspaceId)
      }
      const due = await db.askAsSystem<{ workspace_id: string; id: string }>(claimDue, [])
      const late = await db.askAsSystem<{ workspace_id: string; id: string }>(silent, [])
      await Promise.all([
        ...due.map(check),
        ...late.map((row) =>
          db.inWorkspace(row.workspace_id, (tx) =>
            record(tx, row, { why: 'its worker has said nothing for 90 s', certain: true }),
          ),
        ),
      ])
    },

    /** Asks one now, outside of any transaction. */
    check,

    /** Whoever is being asked now need not answer any more. */
    close: () => closing.abort(),
  }
}

/** What the settings name is there in every workspace, and what they named once is not. */
async function register(db: Db, settings: ModelSettings, workspaceId: string): Promise<void> {
  const wanted = [
    { name: 'ollama', kind: 'ollama' as const, url: settings.ollamaUrl, cloud: isCloud(settings.ollamaUrl) },
    ...(['openai', 'anthropic'] as const).flatMap((kind) => {
      const cloud = settings[kind]
      // Who asks for a key is somebody who is paid, wherever the address points.
      return cloud === null ? [] : [{ name: kind, kind, url: cloud.url, cloud: true }]
    }),
  ]
  await db.inWorkspace(workspaceId, async (tx) => {
    const there = await store.list(tx)
    const isWanted = (row: store.EndpointRow) =>
      wanted.some(({ kind, url }) => kind === row.kind && url === row.url)
    const stale = there.filter((row) => row.source === 'settings' && !isWanted(row))
    for (const row of stale) await store.remove(tx, row.id)
    const left = there.filter((row) => !stale.includes(row))
    for (const { name, ...each } of wanted) {
      if (left.some((row) => row.worker_id === null && row.kind === each.kind && row.url === each.url))
        continue
      await store.insert(tx, workspaceId, {
        id: newId(),
        name: freeName(name, left),
        ...each,
        source: 'settings',
        worker_id: null,
        worker: null,
        run_limit: 4,
        named_models: [],
      })
    }
  })
}

export function freeName(name: string, taken: { name: string }[]): string {
  const isTaken = (each: string) => taken.some((row) => row.name === each)
  for (let n = 1; ; n++) {
    const each = n === 1 ? name : `${name}-${n}`
    if (!isTaken(each)) return each
  }
}
