import type { Handlers } from '../kernel/handler.ts'
import type { Repos } from './repos.ts'

export function repoRoutes({ repos }: { repos: Repos }): Handlers<'listRepos' | 'addRepo'> {
  return {
    listRepos: ({ inTransaction }) =>
      inTransaction(async (tx) => ({ items: await repos.list(tx), nextCursor: null })),
    async addRepo({ actor, body, inTransaction }) {
      // Before the transaction: asking a far server may take seconds, which no transaction should last.
      await repos.probe(body.url)
      return inTransaction((tx) => repos.add(tx, actor, body))
    },
  }
}
