import { answer, apart, between, both, omit, rewrite, type Mutant } from './break.ts'

const evidence = 'runs_insert_evidence'
const parents = 'tasks_dependencies'

/** How tasks end, and what that sets free. */
export const endingMutants: Mutant[] = [
  {
    breaks: 'ends a task and leaves its place in the queue',
    invariant: 'I-1',
    profile: 'parents',
    by: both(omit('tasks_leave_queue', 1), omit('tasks_leave_queue', 2), omit('tasks_leave_queue_all')),
  },
  {
    breaks: 'makes a task done without evidence',
    invariant: 'I-2',
    profile: 'parents',
    by: omit(evidence),
  },
  {
    breaks: 'stores the end of the run after the commit',
    invariant: 'I-5',
    profile: 'faults',
    by: apart('runs_finish', 'afterwards'),
  },
  {
    breaks: 'leaves those waiting that waited for a task that is done',
    invariant: 'I-1',
    profile: 'parents',
    by: omit('tasks_dependents'),
  },
  {
    breaks: 'sets a task free when the first of its parents is done',
    invariant: 'I-14',
    profile: 'parents',
    by: answer(parents, (rows: { state: string }[]) => rows.map((row) => ({ ...row, state: 'done' }))),
  },
  {
    breaks: 'sets free what was cancelled while it waited',
    invariant: 'I-2',
    profile: 'parents',
    by: answer('tasks_lock', (rows: { state: string }[]) =>
      rows.map((row) => (row.state === 'cancelled' ? { ...row, state: 'waiting' } : row)),
    ),
  },
  {
    breaks: 'looks at a parent without locking it when a task that needs it is made',
    invariant: 'I-1',
    profile: 'parents',
    by: rewrite('tasks_lock_named', 'for share', ''),
  },
  {
    breaks: 'makes a task and forgets to queue it',
    invariant: 'I-1',
    profile: 'people',
    by: omit('tasks_enqueue'),
  },
  {
    breaks: 'queues a task after the commit that made it',
    invariant: 'I-1',
    profile: 'faults',
    by: apart('tasks_enqueue', 'afterwards'),
  },
  {
    breaks: 'does not raise the epoch when it ends a task over the head of its run',
    invariant: 'I-3',
    profile: 'people',
    by: rewrite('tasks_end', 'case when $6 then 1 else 0 end', 'case when $6 then 0 else 0 end'),
  },
  {
    breaks: 'raises the epoch when a run ends its own task',
    invariant: 'I-6',
    profile: 'reports',
    by: rewrite('tasks_end_all', 'ending = e.ending,', 'ending = e.ending, epoch = t.epoch + 1,'),
  },
  {
    breaks: 'begins with epoch 0 again when a task is retried',
    invariant: 'I-3',
    profile: 'people',
    by: rewrite('losses = 0, failures = 0', 'losses = 0,', 'losses = 0, epoch = 0,'),
  },
  {
    breaks: 'lets a task be retried that is done',
    invariant: 'I-2',
    profile: 'parents',
    by: answer('tasks_lock', (rows: { state: string }[]) =>
      rows.map((row) => (row.state === 'done' ? { ...row, state: 'dead' } : row)),
    ),
  },
  {
    breaks: 'cancels a task and leaves its run open',
    invariant: 'I-4',
    profile: 'races',
    by: between((applied) => ({
      tasks: (real) => ({
        ...real,
        async cancel(tx, actor, ref) {
          const cancelled = await real.cancel(tx, actor, ref)
          if (cancelled.held !== null) applied()
          return { ...cancelled, held: null }
        },
      }),
    })),
  },
]
