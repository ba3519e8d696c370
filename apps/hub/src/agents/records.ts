import type { Identity } from '../identity/identity.ts'
import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { codeOf, MusterError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import * as store from './store.ts'

/** Making workers. One is never taken away: what it did names it. */
export function createRecords({ db, identity }: { db: Db; identity: Identity }) {
  return {
    /** Makes a worker together with the one token that may speak for it. */
    async addWorker(tx: Tx, actor: Actor, input: { name: string; expiresInDays?: number | undefined }) {
      const id = newId()
      try {
        await store.insert(tx, { workspaceId: actor.workspaceId, id, name: input.name })
      } catch (error) {
        if (codeOf(error) !== '23505') throw error
        throw new MusterError('worker_name_taken', `A worker called ${input.name} exists already.`)
      }
      return identity.issueToken(tx, actor, { ...input, workerId: id })
    },

    async namedId(tx: Tx, name: string): Promise<string> {
      const row = await store.byName(tx, name)
      if (row === undefined) throw new MusterError('worker_not_found', `No worker is called ${name}.`)
      return row.id
    },

    /** The worker of this name, made if it is not there; for the one that runs beside the hub. */
    async ensureWorker(workspaceId: string, name: string): Promise<string> {
      return db.inWorkspace(workspaceId, async (tx) => {
        const id = newId()
        await tx.query(
          'insert into workers (workspace_id, id, name) values ($1, $2, $3) on conflict do nothing',
          [workspaceId, id, name],
        )
        const [row] = await tx.query<{ id: string }>('select id from workers where name = $1', [name])
        return row?.id ?? id
      })
    },
  }
}
