import type { ChosenModel } from '@muster/contract/loop'
import type { Tier } from '@muster/contract/task-states'

/**
 * Leases waiting tasks to workers, all in one statement. The raised epoch is the fence that every later write of the
 * run must carry. `worker_id is null` is said again although the rows are locked: this statement alone must be
 * unable to give out a task that is held. Once claimed, a task has no time to live any more.
 *
 * $1 workspace, $2 lease in ms, then one array each of: $3 task, $4 worker, $5 worker's name, $6 run, $7 decision.
 */
export const leaseMany = {
  name: 'tasks_lease_many',
  text: `
    with given as (
      select * from rows from (unnest($3::uuid[]), unnest($4::uuid[]), unnest($5::text[]), unnest($6::uuid[]),
        unnest($7::jsonb[]), jsonb_array_elements('[]')) as g (task_id, worker_id, worker, run_id, decision, nothing)
    ), leased as (
      update task_queue q
      set worker_id = g.worker_id, epoch = q.epoch + 1, assigned_at = now(), accepted_at = null,
          lease_expires_at = now() + make_interval(secs => $2 / 1000.0),
          deadline_at = least(now() + make_interval(secs => q.timeout_ms / 1000.0), q.complete_by),
          progress_at = now(), quiet_told = false, expires_at = null, endpoint_id = (g.decision ->> 'endpointId')::uuid
      from given g
      where q.workspace_id = $1 and q.task_id = any($3) and q.task_id = g.task_id and num_nulls(q.worker_id) = 1
      returning q.task_id, q.epoch, q.deadline_at, g.worker_id, g.worker, g.run_id, g.decision
    )
    update tasks t
    set state = 'assigned', epoch = leased.epoch, attempt = t.attempt + 1, phase = null, worker_id = leased.worker_id,
        worker = leased.worker, run_id = leased.run_id, reason = leased.decision ->> 'reason', 
        decision = leased.decision || jsonb_build_object('at', now()), started_at = coalesce(t.started_at, now()),
        deadline_at = leased.deadline_at
    from leased
    where t.workspace_id = $1 and t.id = any($3) and t.id = leased.task_id
    returning t.id, t.short, t.title, t.description, t.repo_id, t.repo, t.epoch, t.attempt, t.run_id, t.worker_id, t.worker, t.spec,
      t.tier, t.decision -> 'model' as model,
      ceil(extract(epoch from t.deadline_at - now()) * 1000)::int as timeout_ms`,
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
  worker_id: string
  worker: string
  spec: TaskSpec
  tier: Tier
  /** As routing chose for a prompt. */
  model: ChosenModel | null
  /** What there is until the deadline. */
  timeout_ms: number
}

/** The part of a task that only its run reads; one JSON column, because nothing is ever searched by it. */
export type TaskSpec = {
  run: string | null
  prompt: string | null
  model: string | null
  practice: string | null
  fixes: number
  budgetUsd: number | null
  checks: {
    kind: 'file_exists' | 'command_succeeds' | 'test_passes' | 'git_clean'
    target: string
    timeoutMs?: number
  }[]
  needs: string[]
  fileHints: string[]
  criteria: string[]
  metadata: Record<string, string>
  onlyWorkerId: string | null
  delayMs: number
  ttlMs: number | null
  mayChange: string[]
  allowEmpty: boolean
  wall: 'namespace' | 'container' | 'microvm'
  network: string
  timeoutMs: number
}
