import type { Repo } from '@muster/contract/repos'
import type { Actor } from '../kernel/actor.ts'
import type { Tx } from '../kernel/db.ts'
import { codeOf, MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { probeRepository } from './probe.ts'

export type Repos = ReturnType<typeof createRepos>
type RepoRow = { id: string; name: string; url: string; created_at: Date }

/** The repositories that tasks may name. Their content is the workers' business; the hub only asks git what is there. */
export function createRepos({ events }: { events: Events }) {
  return {
    /** Refuses what is not a git repository with at least one commit; changes nothing. */
    probe: (url: string) => probeRepository(url),

    async add(tx: Tx, actor: Actor, input: { name: string; url: string }): Promise<Repo> {
      try {
        const rows = await tx.query<RepoRow>(
          `insert into repos (workspace_id, id, name, url) values ($1, $2, $3, $4) returning id, name, url, created_at`,
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
      const rows = await tx.query<RepoRow>(
        'select id, name, url, created_at from repos order by name limit 1000',
      )
      return rows.map(toRepo)
    },

    async byName(tx: Tx, name: string): Promise<Repo> {
      const rows = await tx.query<RepoRow>(byName, [name])
      if (rows[0] === undefined) throw new MusterError('repo_not_found', `No repository is called ${name}.`)
      return toRepo(rows[0])
    },

    async byId(tx: Tx, id: string): Promise<Repo> {
      const rows = await tx.query<RepoRow>(byId, [id])
      if (rows[0] === undefined)
        throw new MusterError('repo_not_found', 'The repository of this task is gone.')
      return toRepo(rows[0])
    },
  }
}

const byName = { name: 'repos_by_name', text: 'select id, name, url, created_at from repos where name = $1' }
const byId = { name: 'repos_by_id', text: 'select id, name, url, created_at from repos where id = $1' }

function toRepo(row: RepoRow): Repo {
  return { id: row.id, name: row.name, url: row.url, createdAt: row.created_at.toISOString() }
}
