import { event, type Event } from '@muster/contract/events'
import { run, type Run } from '@muster/contract/runs'
import { isTerminal } from '@muster/contract/task-states'
import { page, task, type Task } from '@muster/contract/tasks'
import { eventually } from '@muster/testkit/eventually'
import type { Stack } from './stack.ts'

export type Ended = { code: number; task: Task; stderr: string }

/** `muster task add … --wait --json`, its answer read as the contract says. */
export async function addAndWait(
  stack: Stack,
  repo: string,
  title: string,
  ...options: string[]
): Promise<Ended> {
  const words = ['task', 'add', '--repo', repo, '--title', title, ...once(options), '--wait', '--json']
  const { code, stdout, stderr } = await stack.muster(...words)
  if (stdout === '') throw new Error(`no task came of ${title} (exit ${code}):\n${stderr}`)
  return { code, task: task.parse(JSON.parse(stdout)), stderr }
}

/** One run shows what a scenario is about; those about other tries say so. */
function once(options: string[]): string[] {
  return options.includes('--retries') ? options : [...options, '--retries', '0']
}

/** `muster task add … --json` without waiting. */
export async function add(stack: Stack, repo: string, title: string, ...options: string[]): Promise<Task> {
  const added = await stack.muster(
    'task',
    'add',
    '--repo',
    repo,
    '--title',
    title,
    ...once(options),
    '--json',
  )
  if (added.code !== 0) throw new Error(`${title} was refused:\n${added.stderr}`)
  return task.parse(added.json())
}

/** Many at once, past the command line, which takes a second for each. Their ids, in this order. */
export async function addAll(stack: Stack, tasks: readonly object[]): Promise<string[]> {
  const ids: string[] = []
  for (const body of tasks) {
    const { status, body: added } = await stack.api('/tasks', { method: 'POST', body })
    if (status !== 201) throw new Error(`refused with ${status}: ${JSON.stringify(added)}`)
    ids.push(task.parse(added).id)
  }
  return ids
}

export async function addRepo(stack: Stack, name: string, path: string): Promise<void> {
  const added = await stack.muster('repo', 'add', name, path)
  if (added.code !== 0) throw new Error(`${path} was refused:\n${added.stderr}`)
}

export async function getTask(stack: Stack, id: string): Promise<Task> {
  return task.parse((await stack.api(`/tasks/${id}`)).body)
}

export async function untilState(
  stack: Stack,
  id: string,
  is: (found: Task) => boolean,
  timeoutMs = 30_000,
): Promise<Task> {
  return eventually(
    async () => {
      const found = await getTask(stack, id)
      return is(found) ? found : undefined
    },
    { timeoutMs, everyMs: 50, what: `task ${id}: ${is.toString()}` },
  )
}

export function untilEnded(stack: Stack, id: string, timeoutMs = 60_000): Promise<Task> {
  return untilState(stack, id, (found) => isTerminal(found.state), timeoutMs)
}

/** Newest first. */
export async function runsOf(stack: Stack, id: string): Promise<Run[]> {
  return page(run).parse((await stack.api(`/tasks/${id}/runs`)).body).items
}

export async function eventsOf(stack: Stack, id: string): Promise<Event[]> {
  return page(event).parse((await stack.api(`/events?taskId=${id}&limit=500`)).body).items
}

/** Everything that `muster task log` prints, which is everything that was kept. */
export async function logOf(stack: Stack, id: string): Promise<string> {
  const { code, stdout, stderr } = await stack.muster('task', 'log', id, '--raw')
  if (code !== 0) throw new Error(`no log of ${id}:\n${stderr}`)
  return stdout
}
