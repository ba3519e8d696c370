import { stale } from '../../../apps/hub/src/tasks/hold.ts'
import { answer, apart, between, both, localNow, omit, rewrite, type Mutant } from './break.ts'

const hold = 'tasks_hold_lease'
const holdMany = 'tasks_hold_leases'

/** The lease: who may write, how long, by whose clock. */
export const fenceMutants: Mutant[] = [
  {
    breaks: 'lets a run write under any epoch',
    invariant: 'I-3',
    profile: 'reports',
    by: both(
      rewrite(hold, 'and epoch = $3', 'and $3::int is not null'),
      rewrite(holdMany, 'and q.epoch = h.epoch', ''),
    ),
  },
  {
    breaks: 'takes a newer epoch than the current one for the right one',
    invariant: 'I-3',
    profile: 'reports',
    by: both(
      rewrite(hold, 'epoch = $3', 'epoch <= $3'),
      rewrite(holdMany, 'q.epoch = h.epoch', 'q.epoch <= h.epoch'),
    ),
  },
  {
    breaks: 'takes an older epoch than the current one for the right one',
    invariant: 'I-3',
    profile: 'reports',
    by: both(
      rewrite(hold, 'epoch = $3', 'epoch >= $3'),
      rewrite(holdMany, 'q.epoch = h.epoch', 'q.epoch >= h.epoch'),
    ),
  },
  {
    breaks: 'lets a worker write for the lease of another',
    invariant: 'I-3',
    profile: 'reports',
    by: both(
      rewrite(hold, 'and worker_id = $4', 'and $4::uuid is not null'),
      rewrite(holdMany, 'and q.worker_id is not distinct from h.worker_id', ''),
    ),
  },
  {
    breaks: 'looks at the lease without locking it',
    invariant: 'I-2',
    profile: 'races',
    by: both(rewrite(hold, 'for update', ''), rewrite(holdMany, 'for update of q', '')),
  },
  {
    breaks: 'throws away the result of a lease that ran out and that nobody took',
    invariant: 'I-1',
    profile: 'losses',
    by: both(
      rewrite(hold, 'for update', 'and lease_expires_at > now() for update'),
      rewrite(
        holdMany,
        'where q.workspace_id = $1',
        'where q.workspace_id = $1 and q.lease_expires_at > now()',
      ),
    ),
  },
  {
    breaks: 'asks its own clock whether a lease still holds',
    invariant: 'I-3',
    profile: 'mixed',
    by: both(
      rewrite(hold, 'for update', () => `and lease_expires_at > ${localNow()} for update`),
      rewrite(
        holdMany,
        'where q.workspace_id = $1',
        () => `where q.workspace_id = $1 and q.lease_expires_at > ${localNow()}`,
      ),
    ),
  },
  {
    breaks: 'stores output without asking who holds the task',
    invariant: 'I-3',
    profile: 'reports',
    by: between((applied) => ({
      leases: (real) => ({ ...real, mustHold: async () => applied() }),
    })),
  },
  {
    breaks: 'renews a lease of an older epoch',
    invariant: 'I-3',
    profile: 'losses',
    by: rewrite('tasks_renew', 'and q.epoch = held.epoch', ''),
  },
  {
    breaks: 'renews the lease of another worker',
    invariant: 'I-4',
    profile: 'losses',
    by: rewrite('tasks_renew', 'and q.worker_id = $5', 'and $5::uuid is not null'),
  },
  {
    breaks: 'renews a lease until a time of its own clock',
    invariant: 'I-4',
    profile: 'losses',
    by: rewrite('tasks_renew', 'now()', localNow),
  },
  {
    breaks: 'says that it renewed a lease and does not',
    invariant: 'I-4',
    profile: 'losses',
    by: rewrite(
      'tasks_renew',
      'now() + make_interval(secs => $4 / 1000.0)',
      'case when $4 > 0 then lease_expires_at end',
    ),
  },
  {
    breaks: 'does not tell a worker which leases it has lost',
    invariant: 'I-15',
    profile: 'losses',
    by: between((applied) => ({
      leases: (real) => ({
        ...real,
        async renew(tx, actor, workerId, leases) {
          applied()
          await real.renew(tx, actor, workerId, leases)
          return []
        },
      }),
    })),
  },
  {
    breaks: 'forgets that a lease was accepted',
    invariant: 'I-4',
    profile: 'losses',
    by: rewrite('tasks_accept', 'coalesce(accepted_at, now())', 'null'),
  },
  {
    breaks: 'does not prolong a lease that is accepted',
    invariant: 'I-4',
    profile: 'mixed',
    by: rewrite(
      'tasks_accept',
      'now() + make_interval(secs => $3 / 1000.0)',
      'case when $3 > 0 then lease_expires_at end',
    ),
  },
  {
    breaks: 'stores the output of a run with every run of its task',
    invariant: 'I-3',
    profile: 'reports',
    by: rewrite('runs_append_output', 'and r.epoch = $3', 'and $3::int is not null'),
  },
  {
    breaks: 'grants a commit to every run of the task',
    invariant: 'I-3',
    profile: 'reports',
    by: rewrite(
      'runs_grant',
      'r.id = any($6) and r.id = g.run_id and (r.task_id, r.epoch) is not distinct from (g.task_id, g.epoch)',
      'r.task_id = g.task_id',
    ),
  },
  {
    breaks: 'answers a finish with yes whatever it recorded',
    invariant: 'I-2',
    profile: 'reports',
    by: between((applied) => ({
      handler: (real) => ({
        ...real,
        handle: async (actor, connection, message) =>
          real.handle(actor, connection, message).catch((error: unknown) => {
            if (message.type !== 'finish') throw error
            applied()
            return {}
          }),
      }),
    })),
  },
  {
    breaks: 'refuses the finish that it has recorded already',
    invariant: 'I-6',
    profile: 'faults',
    by: answer('runs_by_id', (rows: { ending: string | null }[]) =>
      rows.filter((row) => row.ending === null),
    ),
  },
  {
    breaks: 'throws away a result that comes late although nobody newer has the task',
    invariant: 'I-1',
    profile: 'races',
    by: omit('tasks_reclaim'),
  },
  {
    breaks: 'looks at a run that ends before it locks its lease',
    invariant: 'I-1',
    profile: 'races',
    by: between((applied) => ({
      leases: (real) => ({
        ...real,
        async hold(tx, actor, held) {
          const [run] = await tx.query<{ ending: string | null }>(
            'select ending from runs where task_id = $1 and epoch = $2',
            [held.taskId, held.epoch],
          )
          const isHeld = await real.hold(tx, actor, held)
          if (isHeld || run?.ending !== null) return isHeld
          applied()
          throw stale(held)
        },
      }),
    })),
  },
  {
    breaks: 'shows the progress of an older run',
    invariant: 'I-3',
    profile: 'reports',
    by: rewrite('tasks_hear', 'and q.epoch = h.epoch', ''),
  },
  {
    breaks: 'does not count what a run tells of its progress',
    invariant: 'I-1',
    profile: 'losses',
    by: rewrite('tasks_hear', 'set progress_at = now()', 'set progress_at = q.progress_at'),
  },
  {
    breaks: 'writes each time when progress is told',
    invariant: 'I-16',
    profile: 'reports',
    by: rewrite(
      'tasks_hear',
      'q.quiet_told or q.progress_at < now() - make_interval(secs => $5::float8 / 1000)',
      '$5::float8 > 0',
    ),
  },
  {
    breaks: 'grants nothing and says that it did',
    invariant: 'I-2',
    profile: 'reports',
    by: omit('runs_grant'),
  },
  {
    breaks: 'writes the phase of a run outside the transaction',
    invariant: 'I-5',
    profile: 'faults',
    by: apart('tasks_phase', 'afterwards'),
  },
]
