import { answer, apart, events, omit, rewrite, type Mutant } from './break.ts'

/** What is said and remembered: events, answers to repeated requests, who is there. */
export const wordMutants: Mutant[] = [
  {
    breaks: 'tells the end of a task twice',
    invariant: 'I-2',
    profile: 'parents',
    by: events(['task.done'], 'twice'),
  },
  {
    breaks: 'does not tell that a task was given back',
    invariant: 'I-5',
    profile: 'losses',
    by: events(['task.requeued'], 'never'),
  },
  {
    breaks: 'does not tell that a task was set free',
    invariant: 'I-5',
    profile: 'parents',
    by: events(['task.released'], 'never'),
  },
  {
    breaks: 'tells that a task was made in a transaction of its own',
    invariant: 'I-5',
    profile: 'faults',
    by: events(['task.created'], 'at once, apart'),
  },
  {
    breaks: 'tells that a task was given away in a transaction of its own',
    invariant: 'I-5',
    profile: 'faults',
    by: events(['task.assigned'], 'at once, apart'),
  },
  {
    breaks: 'tells the end of a task after the commit',
    invariant: 'I-5',
    profile: 'faults',
    by: events(['task.done', 'task.dead', 'task.cancelled'], 'after the commit, apart'),
  },
  {
    breaks: 'does not tell that a stale result was refused',
    invariant: 'I-2',
    profile: 'reports',
    by: events(['run.refused_stale'], 'never'),
  },
  {
    breaks: 'remembers the answer to a request after the commit',
    invariant: 'I-6',
    profile: 'faults',
    by: apart('idempotency_remember', 'afterwards'),
  },
  {
    breaks: 'does a repeated request once more',
    invariant: 'I-6',
    profile: 'people',
    by: rewrite(
      'idempotency_claim',
      'on conflict do nothing',
      'on conflict (workspace_id, actor, key) do update set created_at = now()',
    ),
  },
  {
    breaks: 'does not know a repeated request again',
    invariant: 'I-6',
    profile: 'people',
    by: rewrite('idempotency_claim', 'k.hash from', `'\\x00'::bytea from`),
  },
  {
    breaks: 'keeps the key of a request that it refused',
    invariant: 'I-6',
    profile: 'people',
    by: omit('idempotency_forget'),
  },
  {
    breaks: 'lets a copy of a worker take its place',
    invariant: 'I-4',
    profile: 'presence',
    by: answer('from workers where id = $1 for update', (rows: { fresh: boolean }[]) =>
      rows.map((row) => ({ ...row, fresh: false })),
    ),
  },
  {
    breaks: 'takes a worker for gone that has come back through another hub',
    invariant: 'I-4',
    profile: 'presence',
    by: rewrite(
      'update workers set connected_hub = null',
      'and connected_hub = $2',
      'and $2::uuid is not null',
    ),
  },
  {
    breaks: 'says of a worker that it was seen by a hub that has lost it',
    invariant: 'I-4',
    profile: 'presence',
    by: rewrite('workers_seen', 'and connected_hub = $2', 'and $2::uuid is not null'),
  },
]
