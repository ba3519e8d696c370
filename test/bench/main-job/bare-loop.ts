import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Measured = { ms: number[]; perSecond: number }

/** The least that anybody does to run a command on a copy of a repository behind a wall: no queue, no proof, no branch. */
export async function measureBareLoop(repo: string, count: number): Promise<Measured> {
  const place = await mkdtemp(join(tmpdir(), 'muster-bench-bare-'))
  const ms: number[] = []
  for (let at = 0; at < count; at += 1) {
    const into = join(place, String(at))
    const began = performance.now()
    await run('git', ['clone', '--quiet', repo, into])
    await run('bwrap', wallArguments(into))
    ms.push(performance.now() - began)
  }
  await rm(place, { recursive: true, force: true })
  const seconds = ms.reduce((sum, each) => sum + each, 0) / 1_000
  return { ms, perSecond: count / seconds }
}

function wallArguments(workspace: string): string[] {
  return [
    ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64'],
    ...['--symlink', 'usr/bin', '/bin', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...['--bind', workspace, '/workspace', '--chdir', '/workspace', '--unshare-all', '--die-with-parent'],
    ...['--', 'true'],
  ]
}
