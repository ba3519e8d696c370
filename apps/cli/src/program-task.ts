import type { Command } from 'commander'
import type { Define, Does } from './define.ts'
import { addTaskCare } from './program-care.ts'
import { atMost, dollars, duration, fixes, retries, several, time } from './option-values.ts'

// The words after "one of" are those of the contract; a test compares them. Importing it here would cost 60 ms.
export function addTaskCommands(root: Command, define: Define, does: Does): void {
  const task = define(root, 'task', 'hand in, follow and look at tasks', [
    'npx muster task list',
    'npx muster task show 7f3a9c21',
  ])
  addTaskAdd(task, define, does)
  addTaskReads(task, define, does)
  addTaskVerbs(task, define, does)
  addTaskCare(task, define, does)
}

function addTaskAdd(task: Command, define: Define, does: Does): void {
  const add = define(task, 'add', 'hand in a task', [
    'npx muster task add --repo shop --title "Add a licence" --run "cp /usr/share/common-licenses/MIT LICENSE" --check file_exists:LICENSE --wait',
    'npx muster task add --repo shop --title "Fix the total" --prompt "The tests fail. Find out why and correct it." --check test_passes:auto --wait',
    'npx muster task add --repo shop --title "Format" --run "npx prettier -w ." --check "command_succeeds:npm test" --timeout 10m --json',
  ])
    .option('--repo <name>', 'repository, as in "npx muster repo list"; without it the first active one')
    .requiredOption('--title <text>', 'one line that says what is wanted')
    .option('--run <command>', 'shell command, run behind the wall with the repository at /workspace')
    .option('--prompt <text>', 'what is to be done, in words, for an agent with a model')
    .option('--model <name>', 'only this model may do it, as in "npx muster model list"')
    .option('--practice <file>', 'play this script instead of asking a model: a rehearsal')
    .option('--fixes <n>', 'how often failed checks go back to the model, 0 to 5; 3 if not said', fixes)
    .option('--budget <usd>', 'what all runs of it together may spend on models', dollars)
    .option('--description <text>', 'more about it, for people')
    .option(
      '--check <kind:target>',
      'proof that the platform runs; one of file_exists:PATH, command_succeeds:COMMAND, test_passes:auto, git_clean (repeatable)',
      several,
    )
    .option('--lane <lane>', 'one of urgent, high, normal, low')
    .option('--tier <tier>', 'one of trivial, standard, complex')
    .option('--needs <capability>', 'what the worker must offer (repeatable)', several)
    .option('--worker <name>', 'only this worker may run it')
    .option('--after <task>', 'start only when that task is done (repeatable)', several)
    .option('--wall <wall>', 'one of namespace, container, microvm')
    .option('--network <policy>', 'none, local, full or allow:NAMES')
    .option('--may-change <glob>', 'files that define the proof and may change (repeatable)', several)
    .option('--allow-empty', 'accept a run that changes nothing')
    .option('--timeout <duration>', 'deadline around everything, like 2s, 10m or 1h', duration)
    .option('--retries <n>', 'how often a failed run is tried again, 0 to 10; 1 for a command', retries)
    .option('--delay <duration>', 'not before this long from now', duration)
    .option('--ttl <duration>', 'dead if nobody has claimed it after this long', duration)
    .option(
      '--complete-by <time>',
      'dead if it is not done by then: a duration from now, or a time like 2030-01-31T12:00:00Z',
      time,
    )
    .option('--file <path>', 'a file that the work is probably about (repeatable)', several)
    .option('--criterion <text>', 'what must be true at the end, in words (repeatable)', several)
    .option('--metadata <key=value>', 'kept and shown (repeatable)', several)
    .option('--wait', 'wait for the end; exit code 0 only when it is done')
    .option('--idempotency-key <key>', 'the same key never makes a second task')
  does(add, async () => (await import('./commands/task-add.ts')).addTask)
}

function addTaskReads(task: Command, define: Define, does: Does): void {
  const list = define(task, 'list', 'list tasks, newest first', [
    'npx muster task list --state queued,running',
    'npx muster task list --repo shop --json',
  ])
    .option('--state <states>', 'only these, separated by commas')
    .option('--repo <name>', 'only this repository')
    .option('--limit <n>', 'at most so many', atMost(200))
    .option('--cursor <cursor>', 'read on after an earlier list')
  does(list, async () => (await import('./commands/task-list.ts')).listTasks)

  const show = define(task, 'show <task>', 'one task with its evidence', [
    'npx muster task show 7f3a9c21',
    'npx muster task show 7f3a9c21 --json',
  ])
  does(show, async () => (await import('./commands/task-show.ts')).showTask)

  const watch = define(task, 'watch <task>', 'follow a task to its end; exit code 0 only when it is done', [
    'npx muster task watch 7f3a9c21',
    'npx muster task watch 7f3a9c21 --json 2>/dev/null',
  ])
  does(watch, async () => (await import('./commands/task-watch.ts')).watchTask)

  const steps = define(task, 'steps <task>', 'what its agent did, step by step', [
    'npx muster task steps 7f3a9c21',
    'npx muster task steps 7f3a9c21 --json',
  ])
  does(steps, async () => (await import('./commands/task-steps.ts')).listSteps)

  const log = define(task, 'log <task>', 'everything its runs wrote, in order', [
    'npx muster task log 7f3a9c21',
    'npx muster task log 7f3a9c21 --raw | less -R',
  ]).option('--raw', 'keep escape sequences')
  does(log, async () => (await import('./commands/task-log.ts')).printLog)

  const diff = define(task, 'diff <task>', 'what its last run changed, as a unified diff', [
    'npx muster task diff 7f3a9c21',
    'npx muster task diff 7f3a9c21 | git apply --stat',
  ])
  does(diff, async () => (await import('./commands/task-diff.ts')).printDiff)
}

function addTaskVerbs(task: Command, define: Define, does: Does): void {
  const cancel = define(task, 'cancel <task>', 'cancel a task that has not ended', [
    'npx muster task cancel 7f3a9c21',
    'npx muster task cancel 7f3a9c21 --json',
  ])
  does(cancel, async () => (await import('./commands/task-verbs.ts')).cancelTask)
  const retry = define(task, 'retry <task>', 'queue a dead or cancelled task again', [
    'npx muster task retry 7f3a9c21',
    'npx muster task retry 7f3a9c21 && npx muster task watch 7f3a9c21',
  ])
  does(retry, async () => (await import('./commands/task-verbs.ts')).retryTask)
}
