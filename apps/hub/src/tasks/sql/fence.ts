/**
 * The fence. Locks the lease of exactly this worker's epoch; no row means that the lease is gone or a newer run
 * exists, and the write must be refused. Time is not compared: an expired lease that nobody took is still the
 * newest one, and accepting its result loses nothing and doubles nothing.
 */
export const holdLease = {
  name: 'tasks_hold_lease',
  text: `select task_id from task_queue
         where workspace_id = $1 and task_id = $2 and epoch = $3 and worker_id = $4 for update`,
}

/** Without a lock: what is asked for must not wait for the writes of the run. $1 task, $2 epoch, $3 worker. */
export const isHeld = {
  name: 'tasks_is_held',
  text: 'select task_id from task_queue where task_id = $1 and epoch = $2 and worker_id = $3',
}

/**
 * The same for many leases of a workspace. In one order for everybody, so that two pieces of work never wait for each
 * other in a ring. $1 workspace, then one array each of: $2 task, $3 epoch, $4 worker.
 *
 * How statements on many rows are written, here and in the other rooms, so that PostgreSQL finds each row by its key
 * whatever it believes of a table that was made, or emptied, a moment ago:
 * - `= any(…)` on the key. Joined to the list alone, it reads all rows of the workspace and compares, because it takes them
 *   for one or two (measured: 2.4 ms instead of 0.6 ms of its time for a task, at ten at a time).
 * - no condition from which the condition of a partial index would follow: hence "is not distinct from".
 * - the list with an empty one of JSON beside it. A list alone is taken for ten rows, and then each row is compared with
 *   each; of JSON a hundred are expected, and a hash is made.
 */
export const holdLeases = {
  name: 'tasks_hold_leases',
  text: `select q.task_id from task_queue q
         join rows from (unnest($2::uuid[]), unnest($3::int[]), unnest($4::uuid[]), jsonb_array_elements('[]'))
           as h (task_id, epoch, worker_id, nothing)
           on q.task_id = h.task_id and q.epoch = h.epoch and q.worker_id is not distinct from h.worker_id
         where q.workspace_id = $1 and q.task_id = any($2) order by q.task_id for update of q`,
}

/**
 * A result that comes after its lease was given up, while nobody newer holds the task: the epoch is still the newest,
 * so accepting it loses nothing and doubles nothing. Takes the lease again for the rest of the transaction.
 *
 * $1 workspace, $2 task, $3 epoch, $4 worker, $5 lease in ms.
 */
export const reclaim = {
  name: 'tasks_reclaim',
  text: `update task_queue set worker_id = $4, assigned_at = now(), accepted_at = now(), progress_at = now(),
           lease_expires_at = now() + make_interval(secs => $5 / 1000.0)
         where workspace_id = $1 and task_id = $2 and epoch = $3 and worker_id is null and epoch > 0
         returning task_id`,
}

/** $1 workspace, $2 task. The run said something about the work: the clock of quiet runs starts again. */
export const progressed = {
  name: 'tasks_progressed',
  text: `update task_queue set progress_at = now(), quiet_told = false where workspace_id = $1 and task_id = $2`,
}

/**
 * Of these leases, those that are held. Neither locked nor, as a rule, written: being heard of is written as progress only
 * when the last progress is older than $5 ms, or was told of as missing. For what is said often and is worth nothing later.
 *
 * $1 workspace, then one array each of: $2 task, $3 epoch, $4 worker. Answers places in these arrays, from 1.
 */
export const hear = {
  name: 'tasks_hear',
  text: `
    with heard as (
      select h.place, q.task_id, q.epoch, q.worker_id,
        q.quiet_told or q.progress_at < now() - make_interval(secs => $5::float8 / 1000) as is_due
      from unnest($2::uuid[], $3::int[], $4::uuid[]) with ordinality as h (task_id, epoch, worker_id, place)
      join task_queue q on q.task_id = h.task_id and q.epoch = h.epoch and q.worker_id = h.worker_id
      where q.workspace_id = $1
    ), due as (
      select q.task_id from task_queue q
      join heard h on q.task_id = h.task_id and q.epoch = h.epoch and q.worker_id = h.worker_id
      where q.workspace_id = $1 and h.is_due order by q.task_id for update of q
    ), written as (
      update task_queue q set progress_at = now(), quiet_told = false from due
      where q.workspace_id = $1 and q.task_id = due.task_id
    )
    select place::int from heard`,
}

/** Renews all leases of one worker in one statement; answers those that still were its own. */
export const renew = {
  name: 'tasks_renew',
  text: `update task_queue q set lease_expires_at = now() + make_interval(secs => $4 / 1000.0)
         from unnest($2::uuid[], $3::int[]) as held (task_id, epoch)
         where q.workspace_id = $1 and q.task_id = held.task_id and q.epoch = held.epoch and q.worker_id = $5
         returning q.task_id, q.epoch`,
}

/** $1 workspace, $2 tasks, $3 lease in ms. The accepted time is set once; the acceptance clock stops with it. */
export const accept = {
  name: 'tasks_accept',
  text: `update task_queue set accepted_at = coalesce(accepted_at, now()), progress_at = now(),
           lease_expires_at = now() + make_interval(secs => $3 / 1000.0)
         where workspace_id = $1 and task_id = any($2::uuid[])`,
}

/** $1 workspace, $2 task. */
export const prolongAcceptance = {
  name: 'tasks_prolong_acceptance',
  text: `update task_queue set assigned_at = now()
         where workspace_id = $1 and task_id = $2 and accepted_at is null`,
}

export const leave = {
  name: 'tasks_leave_queue',
  text: `delete from task_queue where workspace_id = $1 and task_id = $2`,
}

/** $1 workspace, $2 tasks. */
export const leaveAll = {
  name: 'tasks_leave_queue_all',
  text: `delete from task_queue where workspace_id = $1 and task_id = any($2::uuid[])`,
}

/**
 * Back into its lane at its old place: enqueued_at is kept, so a lost run does not cost a task its turn. $3 is the
 * delay in seconds; $4 raises the epoch, so that not even a late result of the run is taken any more.
 */
export const giveBack = {
  name: 'tasks_give_back',
  text: `update task_queue set worker_id = null, assigned_at = null, accepted_at = null, lease_expires_at = null,
           deadline_at = null, progress_at = null, not_before = now() + make_interval(secs => $3::float8),
           epoch = epoch + case when $4 then 1 else 0 end
         where workspace_id = $1 and task_id = $2`,
}

/** $1 workspace, $2 rows; `delay` is in seconds, `ttl` is what it has after that to be claimed in. */
export const enqueue = {
  name: 'tasks_enqueue',
  text: `insert into task_queue (workspace_id, task_id, lane, wall, epoch, repo_id, needs, only_worker, timeout_ms,
           complete_by, executor, tier, model, not_before, expires_at)
         select $1, task_id, lane, wall, epoch, repo_id, needs, only_worker, timeout_ms, complete_by, executor, tier, model,
           case when delay > 0 then now() + make_interval(secs => delay) else '-infinity' end,
           now() + make_interval(secs => delay + ttl)
         from json_to_recordset($2::json) as t (task_id uuid, lane smallint, wall text, epoch int, repo_id uuid,
           needs text[], only_worker uuid, timeout_ms int, complete_by timestamptz, executor text, tier text, model text,
           delay float8, ttl float8)
         returning task_id, nullif(not_before, '-infinity') as not_before, expires_at`,
}
