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
