import { MusterError } from '../kernel/errors.ts'

/** Who does a task, until agents have records of their own: a command, or the loop with its model. */
export function agentOf(task: { prompt: string | null }): 'shell' | 'loop' {
  return task.prompt === null ? 'shell' : 'loop'
}

/**
 * Names of the branches of a task. Proven work goes to `muster/<agent>/<slug>`; work that did not pass is kept under
 * another first word, so that nothing that follows `muster/*` can ever pick up work that was not proven.
 * The task's short id makes two tasks of one title two branches.
 */
export function branchesOf(
  agent: string,
  task: { title: string; short: string },
): { branch: string; failedBranch: string } {
  const name = `${agent}/${slugOf(task.title)}-${task.short}`
  return { branch: `muster/${name}`, failedBranch: `muster-failed/${name}` }
}

/** A run may put its work on the two branches of its task and on no other of the person's. */
export function mustBeBranchOf(
  task: { title: string; short: string; prompt: string | null },
  name: string,
): void {
  const { branch, failedBranch } = branchesOf(agentOf(task), task)
  if (name !== branch && name !== failedBranch) {
    throw new MusterError('protocol_violation', `${name} is not a branch of this task.`)
  }
}

const maxSlug = 48

/** Lower-case ASCII letters and digits joined by single dashes; `task` when the title has none. */
export function slugOf(title: string): string {
  const slug = title
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, maxSlug)
    .replaceAll(/^-+|-+$/g, '')
  return slug === '' ? 'task' : slug
}
