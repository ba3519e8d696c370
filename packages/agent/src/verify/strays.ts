import { exec, OverlayError, type InWall } from './overlay.ts'
import { suspectPatterns } from './proof-files.ts'
import type { Touched } from './report.ts'

export type StrayRule = (path: string) => string | null

/**
 * The list is made by find and not by git, whose index and lists of ignored files a check may have written. What is in
 * repositories of packages is left out as the rule would, because it is most of what there is. A link may stand for a folder.
 */
const listScript = `
cd /workspace || exit 1
find . -path ./.git -prune -o -type d \\( -name node_modules -o -name site-packages -o -name vendor \\) -prune -o \\
  ! -type d -print0 -type l -exec printf '%s/\\0' {} + | LC_ALL=C grep -zaE -e "$1" || [ $? -eq 1 ]
`

/** More than a build leaves by chance; a report names each of them. */
const mostStrays = 1_000

/**
 * Takes away what an earlier check added and what would decide how the next one judges: it would be refused from the run,
 * and a check that runs the run's program is the run in other clothes. Answers what it was.
 */
export async function clearStrays(input: InWall, rule: StrayRule): Promise<Touched[]> {
  const strays = await list(input, rule)
  if (strays.length === 0) return []
  if (strays.length > mostStrays) throw cannot('listed', `${strays.length} files`)
  const paths = strays.map(({ path }) => `./${path}\0`).join('')
  const removed = await exec(input, ['xargs', '-0', 'rm', '-f', '--'], paths)
  // Also a name that is no text, and that is another one when it comes back here, must be gone.
  const left = await list(input, rule)
  if (removed.ended !== 'exited' || removed.code !== 0 || left.length > 0)
    throw cannot('taken away', removed.stderr)
  return strays
}

async function list(input: InWall, rule: StrayRule): Promise<Touched[]> {
  const listed = await exec(input, ['/bin/sh', '-c', listScript, 'list', suspectPatterns().join('|')])
  if (listed.ended !== 'exited' || listed.code !== 0 || listed.stderr !== '' || listed.droppedBytes > 0)
    throw cannot('listed', listed.stderr)
  const strays = new Map<string, string>()
  for (const found of listed.stdout.split('\0').filter(Boolean)) {
    const path = found.slice('./'.length)
    const why = rule(path)
    if (why !== null) strays.set(path.replace(/\/$/, ''), why)
  }
  return [...strays].map(([path, why]) => ({ path, why }))
}

function cannot(what: string, output: string): OverlayError {
  return new OverlayError(`What an earlier check added could not be ${what}.`, output)
}
