import type { Repo } from '@muster/contract/repos'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { codeOf, MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { probeRepository } from './probe.ts'

export type Repos = ReturnType<typeof createRepos>
type RepoRow = { id: string; name: string; url: string; active: boolean; created_at: Date }

const columns = 'id, name, url, active, created_at'

/** The repositories that tasks may name. Their content is the workers' business; the hub only asks git what is there. */
export function createRepos({ events }: { events: Events }) {
  return {
    /** Refuses what is not a git repository with at least one commit; changes nothing. */
    probe: (url: string) => probeRepository(url),

    async add(tx: Tx, actor: Actor, input: { name: string; url: string }): Promise<Repo> {
      try {
        const rows = await tx.query<RepoRow>(
          `insert into repos (workspace_id, id, name, url) values ($1, $2, $3, $4) returning ${columns}`,
          [actor.workspaceId, newId(), input.name, input.url],
        )
        const repo = toRepo(rows[0] as RepoRow)
        await events.publish(tx, actor, { kind: 'repo.added', data: { repoId: repo.id, name: repo.name } })
        return repo
      } catch (error) {
        if (codeOf(error) !== '23505') throw error
        throw new MusterError('repo_name_taken', `A repository called ${input.name} is already registered.`)
      }
    },

    async list(tx: Tx): Promise<Repo[]> {
      const rows = await tx.query<RepoRow>(`select ${columns} from repos order by name limit 1000`)
      return rows.map(toRepo)
    },

    async byName(tx: Tx, name: string): Promise<Repo> {
      const rows = await tx.query<RepoRow>(byName, [name])
      if (rows[0] === undefined) throw new MusterError('repo_not_found', `No repository is called ${name}.`)
      return toRepo(rows[0])
    },

    /** What a task without a repository is about: the first active one (SCHED-07). */
    async first(tx: Tx): Promise<Repo> {
      const rows = await tx.query<RepoRow>(first)
      if (rows[0] === undefined)
        throw new MusterError('no_active_repo', 'This workspace has no active repository.')
      return toRepo(rows[0])
    },

    async byIds(tx: Tx, ids: string[]): Promise<Map<string, Repo>> {
      const rows = await tx.query<RepoRow>(byIds, [ids])
      return new Map(rows.map((row) => [row.id, toRepo(row)]))
    },

    /** Tasks of these wait. */
    async inactive(tx: Tx): Promise<string[]> {
      return (await tx.query<{ id: string }>(inactive)).map((row) => row.id)
    },

    async setActive(tx: Tx, actor: Actor, name: string, active: boolean): Promise<Repo> {
      const rows = await tx.query<RepoRow>(
        `update repos set active = $2 where name = $1 returning ${columns}`,
        [name, active],
      )
      if (rows[0] === undefined) throw new MusterError('not_found', `No repository is called ${name}.`)
      const kind = active ? 'repo.activated' : 'repo.deactivated'
      await events.publish(tx, actor, { kind, data: { repoId: rows[0].id, name } })
      return toRepo(rows[0])
    },
  }
}

const byName = { name: 'repos_by_name', text: `select ${columns} from repos where name = $1` }
const byIds = { name: 'repos_by_ids', text: `select ${columns} from repos where id = any($1)` }
const inactive = { name: 'repos_inactive', text: 'select id from repos where not active' }
// The oldest registered is the one a small workspace means.
const first = {
  name: 'repos_first',
  text: `select ${columns} from repos where active order by created_at, id limit 1`,
}

function toRepo(row: RepoRow): Repo {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    active: row.active,
    createdAt: row.created_at.toISOString(),
  }
}
