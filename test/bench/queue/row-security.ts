import { Client } from 'pg'
import { ensureOwner } from '../../../apps/hub/src/identity/first-start.ts'
import { createDb } from '../../../apps/hub/src/kernel/db.ts'
import { roleUrl } from '../../../apps/hub/src/kernel/roles.ts'
import { p } from '../main-job/report.ts'
import type { Values } from './measure.ts'

const columns = 'id, title, state, created_at'
const bare = `select ${columns} from tasks where workspace_id = $1 order by id desc limit 50`
const guarded = `select ${columns} from tasks order by id desc limit 50`

/** One page of a list under the policy of its workspace, beside the same by its owner, who says the workspace himself. */
export async function measureRowSecurity(url: string): Promise<Values> {
  const [appUrl, systemUrl] = [roleUrl(url, 'muster_app'), roleUrl(url, 'muster_system')]
  const db = createDb({ appUrl, systemUrl, onError: () => {} })
  const { workspaceId } = await ensureOwner(db)
  await db.close()
  const open = async (connectionString: string) => {
    const client = new Client({ connectionString, options: '-c search_path=muster' })
    await client.connect()
    return client
  }
  const [owner, app] = [await open(url), await open(appUrl)]
  await app.query(`set app.workspace_id = '${workspaceId}'`)
  const ms: { owner: number[]; app: number[] } = { owner: [], app: [] }
  for (let at = -20; at < 300; at += 1) {
    const ownerMs = await timed(() => owner.query({ name: 'bare', text: bare, values: [workspaceId] }))
    const appMs = await timed(() => app.query({ name: 'guarded', text: guarded }))
    if (at < 0) continue
    ms.owner.push(ownerMs)
    ms.app.push(appMs)
  }
  await Promise.all([owner.end(), app.end()])
  return { 'list p50, owner': p(ms.owner, 50), 'list p50, policy': p(ms.app, 50) }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
