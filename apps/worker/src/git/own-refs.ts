import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Git } from './git.ts'
import { ours } from './publish.ts'
import type { RemoteRefs } from './remote-refs.ts'

/** The person's refs as a mirror has them; undefined when it cannot be used. Their objects are looked up, too. */
export async function readOwnRefs(git: Git, mirror: string): Promise<Map<string, string> | undefined> {
  const config = await readFile(join(mirror, 'config'), 'utf8').catch(() => '')
  if (!/^\tbare = true$/m.test(config)) return undefined
  const format = '--format=%(objecttype) %(objectname) %(refname)'
  const args = ['--git-dir', mirror, 'for-each-ref', format, 'refs/remotes/origin', 'refs/tags']
  const listed = await git.attempt(args, { cwd: dirname(mirror), timeoutMs: 60_000 })
  if (listed.code !== 0) return undefined
  const rows = listed.stdout.split('\n').map((line) => line.split(' '))
  return new Map(rows.flatMap(([, value, name]) => (name && value ? [[name, value]] : [])))
}

/**
 * Whether a fetch could be left away: it would bring nothing but branches that workers published, which change with every
 * task and which nothing starts from unless it is the one that was asked for. The next fetch takes them along.
 */
export function hasAll(own: ReadonlyMap<string, string>, theirs: RemoteRefs, base: string): boolean {
  const origin = 'refs/remotes/origin/'
  const isPublished = (branch: string) => branch !== base && ours.test(branch)
  const wanted = [
    ...[...theirs.branches].flatMap(([name, at]) =>
      isPublished(name) ? [] : [[`${origin}${name}`, at] as const],
    ),
    ...[...theirs.tags].map(([name, at]) => [`refs/tags/${name}`, at] as const),
  ]
  const kept = [...own.keys()].filter(
    (ref) => !ref.startsWith(origin) || !isPublished(ref.slice(origin.length)),
  )
  return kept.length === wanted.length && wanted.every(([ref, at]) => own.get(ref) === at)
}
