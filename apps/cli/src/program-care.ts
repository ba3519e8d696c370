import type { Command } from 'commander'
import type { Define, Does } from './define.ts'

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
    'npx muster task dead delete --ending refused --yes',
    'npx muster task dead delete --repo shop --yes --json',
  ])
  chosen(deleteAll)
  deleteAll.option('--yes', 'really: nothing brings them back')
  does(deleteAll, async () => (await import('./commands/task-dead.ts')).deleteDead)
}

function chosen(command: Command): void {
  command
    .option('--ending <ending>', 'only those that ended so, like execution_failed or lost')
    .option('--repo <name>', 'only of this repository')
}
