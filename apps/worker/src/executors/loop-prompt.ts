import { systemPrompt, taskPrompt } from '@muster/agent/loop/prompt'
import { toolSpecs } from '@muster/agent/tools/specs'
import type { LoopWork } from '@muster/contract/loop'
import type { Assignment } from '@muster/contract/wire'
import type { Sandbox } from '@muster/sandbox/sandbox'
import type { ExecutorStage } from './executor.ts'

// What says most about a repository in the fewest words, in this order; then the files that the task names.
const tellingFiles = ['README.md', 'package.json', 'pyproject.toml', 'Cargo.toml', 'go.mod', 'Makefile']
const mark = '\u0001'

// Everything in one command, because each one costs a wall's start. Names that git would quote are left as they are.
const look = `
git -c core.fsmonitor=false -c core.quotePath=false ls-files | head -n 200
for file in "$@"; do
  [ -f "$file" ] && [ ! -L "$file" ] || continue
  printf '${mark}%s${mark}' "$file"
  head -c 2000 -- "$file"
done
`

/** What the model is told of its work and of the workspace, as it is in the wall. */
export async function systemPromptFor(
  wall: Sandbox,
  assignment: Assignment,
  { signal }: ExecutorStage,
): Promise<string> {
  const { loop, repo, branch, checks, mayChange } = assignment
  const wanted = [...new Set([...(loop?.fileHints ?? []), ...tellingFiles])].slice(0, 16)
  const done = await wall.exec(['/bin/sh', '-c', look, 'look', ...wanted], {
    timeoutMs: 20_000,
    maxOutputBytes: 256 * 1024,
    signal,
  })
  const [tree = '', ...rest] = done.stdout.split(mark)
  const keyFiles = rest.flatMap((path, at) => (at % 2 === 0 ? [{ path, text: rest[at + 1] ?? '' }] : []))
  return systemPrompt({
    tools: toolSpecs,
    repository: repo.name,
    branch,
    tree,
    keyFiles: keyFiles.slice(0, 4),
    criteria: loop?.criteria ?? [],
    checks: checks.map(({ kind, target }) => ({ kind, target })),
    mayChange,
  })
}

/** Everything that the person said about the task. */
export function orderOf({ title, description }: Assignment, { prompt, fileHints }: LoopWork): string {
  const said = [`Task: ${title}`, prompt, description ?? ''].filter((part) => part !== '').join('\n\n')
  return taskPrompt(said, fileHints)
}
