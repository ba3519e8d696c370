import type { Command } from 'commander'
import type { Define, Does } from './define.ts'
import { duration } from './option-values.ts'

/** The queue as a whole, and the tasks that did not make it. */
export function addQueueCommands(root: Command, define: Define, does: Does): void {
  const queue = define(root, 'queue', 'how much waits and runs, and holding it', [
    'npx muster queue show',
    'npx muster queue pause',
  ])
  const show = define(queue, 'show', 'how much waits and runs, by lane', [
    'npx muster queue show',
    'npx muster queue show --json',
  ])
  does(show, async () => (await import('./commands/queue.ts')).showQueue)
  const pause = define(queue, 'pause', 'assign nothing until it is resumed; what runs goes on', [
    'npx muster queue pause',
    'npx muster queue pause --json',
  ])
  does(pause, async () => (await import('./commands/queue.ts')).pauseQueue)
  const resume = define(queue, 'resume', 'assign again', [
    'npx muster queue resume',
    'npx muster queue resume --json',
  ])
  does(resume, async () => (await import('./commands/queue.ts')).resumeQueue)
  const stop = define(queue, 'stop', 'the kill switch: pause, and stop everything that runs', [
    'npx muster queue stop',
    'npx muster queue stop --json',
  ])
  does(stop, async () => (await import('./commands/queue.ts')).stopQueue)
}

/** Keeping a worker from tasks. */
export function addWorkerVerbs(worker: Command, define: Define, does: Does): void {
  const cordon = define(worker, 'cordon <name>', 'give it no new task; what it runs goes on', [
    'npx muster worker cordon box-2 --reason "new disk on Friday"',
    'npx muster worker cordon box-2 --json',
  ]).option('--reason <text>', 'shown wherever a task waits for it')
  does(cordon, async () => (await import('./commands/worker-verbs.ts')).cordonWorker)
  const uncordon = define(worker, 'uncordon <name>', 'let it have tasks again', [
    'npx muster worker uncordon box-2',
    'npx muster worker uncordon box-2 --json',
  ])
  does(uncordon, async () => (await import('./commands/worker-verbs.ts')).uncordonWorker)
  const drain = define(worker, 'drain <name>', 'cordon it and wait until it holds nothing', [
    'npx muster worker drain box-2',
    'npx muster worker drain box-2 --timeout 10m && sudo reboot',
  ])
    .option('--reason <text>', 'shown wherever a task waits for it')
    .option('--timeout <duration>', 'wait no longer; exit code 75 then', duration)
  does(drain, async () => (await import('./commands/worker-verbs.ts')).drainWorker)
  const stop = define(
    worker,
    'stop <name>',
    'stop what it runs at once and cordon it; its tasks are queued again',
    ['npx muster worker stop box-2', 'npx muster worker stop box-2 --reason "it behaves oddly"'],
  ).option('--reason <text>', 'shown wherever a task waits for it')
  does(stop, async () => (await import('./commands/worker-verbs.ts')).stopWorker)
}

/** The tasks that ended badly, one or many at a time, and giving one to a worker by hand. */
export function addTaskCare(task: Command, define: Define, does: Does): void {
  const push = define(task, 'push <task>', 'give a queued task to one worker, before all others', [
    'npx muster task push 7f3a9c21 --worker box-2',
    'npx muster task push 7f3a9c21 --worker local --json',
  ]).requiredOption('--worker <name>', 'which one')
  does(push, async () => (await import('./commands/task-verbs.ts')).pushTask)
  const history = define(task, 'history <task>', 'the last 50 things that happened to it', [
    'npx muster task history 7f3a9c21',
    'npx muster task history 7f3a9c21 --json',
  ])
  does(history, async () => (await import('./commands/task-history.ts')).taskHistory)
  const remove = define(task, 'delete <task>', 'forget a dead or cancelled task, its runs and its output', [
    'npx muster task delete 7f3a9c21',
    'npx muster task delete 7f3a9c21 --json',
  ])
  does(remove, async () => (await import('./commands/task-verbs.ts')).deleteTask)
  const dead = define(task, 'dead', 'the tasks that failed for good', [
    'npx muster task dead list',
    'npx muster task dead retry --ending lost',
  ])
  const list = define(dead, 'list', 'what is dead, and why', [
    'npx muster task dead list',
    'npx muster task dead list --repo shop --json',
  ])
  chosen(list)
  does(list, async () => (await import('./commands/task-dead.ts')).listDead)
  const retryAll = define(dead, 'retry', 'queue them again', [
    'npx muster task dead retry --ending timed_out',
    'npx muster task dead retry --repo shop',
  ])
  chosen(retryAll)
  does(retryAll, async () => (await import('./commands/task-dead.ts')).retryDead)
  const deleteAll = define(dead, 'delete', 'forget them', [
    'npx muster task dead delete --ending refused',
    'npx muster task dead delete --repo shop --json',
  ])
  chosen(deleteAll)
  does(deleteAll, async () => (await import('./commands/task-dead.ts')).deleteDead)
}

function chosen(command: Command): void {
  command
    .option('--ending <ending>', 'only those that ended so, like execution_failed or lost')
    .option('--repo <name>', 'only of this repository')
}
