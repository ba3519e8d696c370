import type { Operation } from '../operations.ts'
import type { Witness } from './apply.ts'
import { end, endRun, enqueue } from './endings.ts'
import { at, isOpen, Mismatch, say, type Expected, type Task, type Window } from './state.ts'

type Asked = Extract<Operation, { do: 'submit' | 'cancel' | 'retry' }>

/** What a person asks for, behind the key of the request: once done it is answered again and not done again. */
export function asked(expected: Expected, operation: Asked, witness: Witness): string {
  const { seen, window } = witness
  const { hub: _, key, ...request } = operation
  const name = `${operation.ws} ${key}`
  const known = expected.keys[name]
  if (known !== undefined) {
    if (known.request !== JSON.stringify(request)) return 'idempotency_mismatch'
    const first = known.task === null ? undefined : at(expected.tasks, known.task).id
    if (seen.code === 'ok' && seen.task !== first)
      throw new Mismatch('a repeated request got another answer (I-6)')
    return 'ok'
  }
  const made =
    operation.do === 'submit' ? submit(expected, operation, witness) : change(expected, operation, window)
  if (made.code === 'ok') expected.keys[name] = { request: JSON.stringify(request), task: made.task }
  return made.code
}

function submit(
  expected: Expected,
  { ws, after, unknown, lane, timeoutMs, retries }: Extract<Asked, { do: 'submit' }>,
  { seen, stored, window }: Witness,
): { code: string; task: number | null } {
  if (unknown || after.some((needed) => at(expected.tasks, needed).ws !== ws)) {
    return { code: 'dependency_not_found', task: null }
  }
  const task: Task = {
    ws,
    // Made, but its maker never heard so: it is the one that is stored and known to nobody.
    id:
      seen.task ?? stored.tasks.find((row) => !expected.tasks.some((known) => known.id === row.id))?.id ?? '',
    state: 'waiting',
    ending: null,
    epoch: 0,
    attempt: 0,
    losses: 0,
    failures: 0,
    retries,
    phase: null,
    lane,
    timeoutMs,
    needs: [...new Set(after)],
    worker: null,
    run: null,
    branch: null,
    commit: null,
    evidence: null,
    place: null,
    events: [],
  }
  if (!isOpen(expected, task)) enqueue(task, window)
  say(task, 'task.created', { state: task.state })
  return { code: 'ok', task: expected.tasks.push(task) - 1 }
}

function change(
  expected: Expected,
  operation: Extract<Asked, { do: 'cancel' | 'retry' }>,
  window: Window,
): { code: string; task: null } {
  const task = at(expected.tasks, operation.task)
  if (task.ws !== operation.ws) return { code: 'not_found', task: null }
  const isEnded = task.state === 'dead' || task.state === 'cancelled'
  const may = operation.do === 'retry' ? isEnded : !isEnded && task.state !== 'done'
  if (!may) return { code: 'task_state_refuses', task: null }
  if (operation.do === 'cancel') cancel(expected, task, operation.hub)
  else retry(expected, task, window)
  return { code: 'ok', task: null }
}

/** A worker that is connected where it was cancelled hears of it at once. */
function cancel(expected: Expected, task: Task, hub: number): void {
  if (task.worker !== null && expected.workers[task.worker]?.lines[hub]) {
    expected.told.push(`hub ${hub} worker ${task.worker} cancel ${task.id} ${task.epoch}`)
  }
  say(task, 'task.cancelled', { epoch: task.epoch, was: task.state })
  if (task.worker !== null) endRun(expected, task, 'cancelled')
  end(task, 'cancelled', 'cancelled')
  task.epoch += 1
}

function retry(expected: Expected, task: Task, window: Window): void {
  task.state = 'waiting'
  task.ending = null
  task.losses = 0
  task.failures = 0
  task.worker = null
  task.branch = null
  task.commit = null
  if (!isOpen(expected, task)) enqueue(task, window)
  say(task, 'task.retried', { state: task.state })
}
