import { answer, between, both, localNow, omit, rewrite, type Mutant } from './break.ts'

const candidates = 'tasks_candidates'
const lease = 'tasks_lease_many'
const expired = 'tasks_lock_expired'

/** Giving tasks away, and taking them back. */
export const roundMutants: Mutant[] = [
  {
    breaks: 'gives a task away under the epoch of its last run',
    invariant: 'I-3',
    profile: 'mixed',
    by: rewrite(lease, 'epoch = q.epoch + 1', 'epoch = greatest(q.epoch, 1)'),
  },
  {
    breaks: 'serves lanes in the wrong order',
    invariant: 'QUEUE-02',
    profile: 'mixed',
    by: rewrite(candidates, 'order by lane,', 'order by lane desc,'),
  },
  {
    breaks: 'serves the newest task first',
    invariant: 'QUEUE-02',
    profile: 'mixed',
    by: rewrite(candidates, 'enqueued_at, task_id', 'enqueued_at desc, task_id'),
  },
  {
    breaks: 'leases by its own clock',
    invariant: 'I-4',
    profile: 'mixed',
    by: rewrite(lease, 'lease_expires_at = now()', () => `lease_expires_at = ${localNow()}`),
  },
  {
    breaks: 'never sets a deadline',
    invariant: 'I-16',
    profile: 'mixed',
    by: rewrite(lease, 'now() + make_interval(secs => q.timeout_ms / 1000.0)', `'infinity'::timestamptz`),
  },
  {
    breaks: 'gives a worker more than it has slots',
    invariant: 'I-16',
    profile: 'mixed',
    by: answer('tasks_held_by', () => []),
  },
  {
    breaks: 'gives tasks to a worker that does not answer any more',
    invariant: 'I-4',
    profile: 'presence',
    by: between((applied) => ({
      agents: (real) => ({
        ...real,
        offers() {
          const offered = real.offers()
          const all = real.connections.all()
          if (all.length > offered.length) applied()
          return all
        },
      }),
    })),
  },
  {
    breaks: 'gives tasks over a connection that its worker has left for another hub',
    invariant: 'I-4',
    profile: 'presence',
    by: rewrite('workers_assignable', 'and connected_hub = $2', 'and $2::uuid is not null'),
  },
  {
    breaks: 'gives tasks to a worker that is gone',
    invariant: 'I-4',
    profile: 'presence',
    by: both(
      rewrite('workers_assignable', 'and connected_hub = $2', 'and $2::uuid is not null'),
      between(() => ({
        agents(real) {
          const last: ReturnType<typeof real.offers> = []
          return {
            ...real,
            offers() {
              for (const offer of real.offers()) {
                if (!last.some((known) => known.workerId === offer.workerId)) last.push(offer)
              }
              return last
            },
          }
        },
      })),
    ),
  },
  {
    breaks: 'never says what a round gave out whose commit was not answered',
    invariant: 'I-1',
    profile: 'faults',
    by: answer('runs_by_ids', () => []),
  },
  {
    breaks: 'never ends a lease whose deadline has passed',
    invariant: 'I-16',
    profile: 'losses',
    by: rewrite(expired, 'or deadline_at < now() - make_interval(secs => $2 / 1000.0)', 'or $2::float8 < 0'),
  },
  {
    breaks: 'never takes back what is not accepted',
    invariant: 'I-4',
    profile: 'losses',
    by: rewrite(
      expired,
      'or (accepted_at is null and assigned_at < now() - make_interval(secs => $1 / 1000.0))',
      'or $1::float8 < 0',
    ),
  },
  {
    breaks: 'takes back what was accepted long ago',
    invariant: 'I-1',
    profile: 'losses',
    by: rewrite(expired, 'accepted_at is null and', ''),
  },
  {
    breaks: 'finds by its own clock which leases ran out',
    invariant: 'I-4',
    profile: 'losses',
    by: rewrite(expired, 'lease_expires_at < now()', () => `lease_expires_at < ${localNow()}`),
  },
  {
    breaks: 'takes a deadline for a lost worker',
    invariant: 'I-16',
    profile: 'losses',
    by: rewrite(expired, `then 'deadline'`, `then 'lease_expired'`),
  },
  {
    breaks: 'puts a task that was lost at the end of its lane',
    invariant: 'I-1',
    profile: 'losses',
    by: rewrite(
      'tasks_give_back',
      'set worker_id = null',
      'set enqueued_at = clock_timestamp(), worker_id = null',
    ),
  },
  {
    breaks: 'gives a refused task away again at once',
    invariant: 'I-16',
    profile: 'losses',
    by: rewrite(
      'tasks_give_back',
      'make_interval(secs => $3::float8)',
      'make_interval(secs => $3::float8 * 0)',
    ),
  },
  {
    breaks: 'does not count how often a task was lost',
    invariant: 'I-16',
    profile: 'losses',
    by: rewrite('tasks_requeue', `case when $4 = 'loss' then 1 else 0 end`, '0'),
  },
  {
    breaks: 'counts a refusal for a missing wall as a loss',
    invariant: 'I-16',
    profile: 'losses',
    by: rewrite(
      'tasks_requeue',
      `case when $4 = 'loss' then 1 else 0 end`,
      `case when $4 <> 'failure' then 1 else 0 end`,
    ),
  },
  {
    breaks: 'does not count how often a task failed',
    invariant: 'I-16',
    profile: 'reports',
    by: rewrite('tasks_requeue', `case when $4 = 'failure' then 1 else 0 end`, '0'),
  },
  {
    breaks: 'tries a task again however often it failed',
    invariant: 'I-16',
    profile: 'reports',
    by: answer('tasks_lock', (rows: { failures: number }[]) => rows.map((row) => ({ ...row, failures: 0 }))),
  },
  {
    breaks: 'raises the epoch of a failed run in the queue only',
    invariant: 'I-3',
    profile: 'losses',
    by: rewrite('tasks_requeue', 'case when $5 then 1 else 0 end', 'case when $5 then 0 else 0 end'),
  },
  {
    breaks: 'does not raise the epoch of a run that ran over its deadline',
    invariant: 'I-3',
    profile: 'losses',
    by: both(
      rewrite('tasks_requeue', 'case when $5 then 1 else 0 end', 'case when $5 then 0 else 0 end'),
      rewrite('tasks_give_back', 'case when $4 then 1 else 0 end', 'case when $4 then 0 else 0 end'),
    ),
  },
  {
    breaks: 'never gives up a run that says nothing any more',
    invariant: 'I-16',
    profile: 'losses',
    by: rewrite(expired, 'or progress_at < now() - make_interval(secs => $4 / 1000.0)', 'or $4::float8 < 0'),
  },
  {
    breaks: 'does not see that a run goes on',
    invariant: 'I-1',
    profile: 'losses',
    by: omit('tasks_progressed'),
  },
  {
    breaks: 'takes a task back and leaves its place leased',
    invariant: 'I-4',
    profile: 'losses',
    by: omit('tasks_give_back'),
  },
  {
    breaks: 'takes a lease back and leaves its run open',
    invariant: 'I-4',
    profile: 'losses',
    by: omit('runs_end_open'),
  },
  {
    breaks: 'gives every ended run of a task another ending',
    invariant: 'I-2',
    profile: 'losses',
    by: rewrite('runs_end_open', 'and ending is null', ''),
  },
]
