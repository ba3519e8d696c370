import type { Handlers } from '../kernel/handler.ts'
import type { Repos } from './repos.ts'

export function repoRoutes({
  repos,
}: {
  repos: Repos
}): Handlers<'listRepos' | 'addRepo' | 'activateRepo' | 'deactivateRepo'> {
  return {
    listRepos: ({ inTransaction }) =>
      inTransaction(async (tx) => ({ items: await repos.list(tx), nextCursor: null })),
    activateRepo: ({ actor, params, inTransaction }) =>
      inTransaction((tx) => repos.setActive(tx, actor, params.name, true)),
    deactivateRepo: ({ actor, params, inTransaction }) =>
      inTransaction((tx) => repos.setActive(tx, actor, params.name, false)),
    async addRepo({ actor, body, inTransaction }) {
      // Before the transaction: asking a far server may take seconds, which no transaction should last.
      const refused = await repos.probe(body.url).catch((error: unknown) => error)
      return inTransaction((tx) => {
        // Here, so that a repeated request gets its first answer although the repository has gone since.
        if (refused !== undefined) throw refused
        return repos.add(tx, actor, body)
      })
    },
  }
}
