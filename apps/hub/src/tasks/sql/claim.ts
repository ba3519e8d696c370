/**
 * Takes the first waiting task that this worker can run and leases it, in one statement: urgent before high before
 * normal before low, then first in, first out. SKIP LOCKED lets several hubs claim at once without waiting for each
 * other; the raised epoch is the fence that every later write of the run must carry.
 *
 * $1 workspace, $2 worker, $3 worker's name, $4 walls it offers, $5 lease in ms, $6 run id, $7 reason.
 */
export const claim = {
  name: 'tasks_claim',
  text: `
    with next as (
      select workspace_id, task_id from task_queue
      where workspace_id = $1 and worker_id is null and not_before <= now() and wall = any($4::text[])
      order by lane, enqueued_at, task_id
      limit 1
      for update skip locked
    ), leased as (
      update task_queue q
      set worker_id = $2, epoch = q.epoch + 1, assigned_at = now(), accepted_at = null,
          lease_expires_at = now() + make_interval(secs => $5 / 1000.0),
          deadline_at = now() + make_interval(secs => (t.spec ->> 'timeoutMs')::int / 1000.0)
      from next join tasks t on t.workspace_id = next.workspace_id and t.id = next.task_id
      where q.workspace_id = next.workspace_id and q.task_id = next.task_id
      returning q.workspace_id, q.task_id, q.epoch, q.deadline_at
    )
    update tasks t
    set state = 'assigned', epoch = leased.epoch, attempt = t.attempt + 1, phase = null, worker_id = $2, worker = $3,
        run_id = $6, reason = $7, started_at = coalesce(t.started_at, now()), deadline_at = leased.deadline_at
    from leased
    where t.workspace_id = leased.workspace_id and t.id = leased.task_id
    returning t.id, t.short, t.title, t.description, t.repo_id, t.repo, t.epoch, t.attempt, t.run_id, t.spec`,
}

export type ClaimedRow = {
  id: string
  short: string
  title: string
  description: string | null
  repo_id: string
  repo: string
  epoch: number
  attempt: number
  run_id: string
  spec: TaskSpec
}

/** The part of a task that only its run reads; one JSON column, because nothing is ever searched by it. */
export type TaskSpec = {
  run: string | null
  prompt: string | null
  checks: {
    kind: 'file_exists' | 'command_succeeds' | 'test_passes' | 'git_clean'
    target: string
    timeoutMs?: number
  }[]
  needs: string[]
  mayChange: string[]
  allowEmpty: boolean
  wall: 'namespace' | 'container' | 'microvm'
  network: string
  timeoutMs: number
}
