import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ifPresent } from '@muster/postgres/missing-file'
import type { Command, Context } from '../context.ts'
import { Failure } from '../failure.ts'

export const addRepo: Command<object, [string, string]> = async (
  { output, ...context },
  _options,
  name,
  place,
) => {
  const url = await addressOf(place)
  const hub = await context.hub()
  const repo = await hub.call('addRepo', { body: { name, url } })
  if (output.json) output.document(repo)
  else
    output.note(
      `Repository ${repo.name} is at ${repo.url}. Next: npx muster task add --repo ${repo.name} --title …`,
    )
  return 0
}

/** The hub and its workers do not share our working directory, so a path is made absolute here. */
async function addressOf(place: string): Promise<string> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place) || /^[\w.-]+@[\w.-]+:/.test(place)) return place
  const path = await ifPresent(realpath(resolve(place)))
  if (path !== undefined) return path
  throw new Failure(
    'repo_not_found',
    `There is nothing at ${resolve(place)}.`,
    'Give the path of a git repository, or its URL.',
  )
}

export const listRepos: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const found = await hub.call('listRepos', {})
  if (output.json) output.document(found)
  else if (found.items.length === 0) output.note('No repositories. Add one: npx muster repo add NAME PATH')
  else {
    output.table(
      [{ name: 'name' }, { name: 'state', drop: 1 }, { name: 'url', cut: true }],
      found.items.map((repo) => [repo.name, repo.active ? 'active' : 'not active', repo.url]),
    )
  }
  return 0
}

export const activateRepo: Command<object, [string]> = (context, _options, name) =>
  setActive(context, name, true)

export const deactivateRepo: Command<object, [string]> = (context, _options, name) =>
  setActive(context, name, false)

async function setActive({ output, ...context }: Context, name: string, active: boolean): Promise<number> {
  const hub = await context.hub()
  const repo = await hub.call(active ? 'activateRepo' : 'deactivateRepo', { params: { name }, body: {} })
  if (output.json) output.document(repo)
  else if (repo.active) output.note(`Tasks of ${repo.name} are assigned again.`)
  else
    output.note(`Tasks of ${repo.name} wait; what runs goes on. Undo: npx muster repo activate ${repo.name}`)
  return 0
}
