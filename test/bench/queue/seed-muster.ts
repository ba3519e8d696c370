import type { Pool } from 'pg'
import { chunks } from './engine.ts'

/**
 * Tasks that ended another day, as the hub leaves them: with their run, evidence and events. Written straight into the
 * tables, because a million of them through the hub would take longer than everything that is measured.
 */
export async function seedHistory(owner: Pool, workspaceId: string, repoId: string, count: number) {
  await inPieces(owner, count, (size) => history(owner, workspaceId, repoId, size))
}

/** Tasks that wait, more than any test could hand in one by one. */
export async function seedBacklog(owner: Pool, workspaceId: string, repoId: string, count: number) {
  await inPieces(owner, count, (size) => backlog(owner, workspaceId, repoId, size))
}

/**
 * The rows are right by how they are made, so their foreign keys are not looked at: of a million tasks that alone takes
 * minutes. Vacuumed, or who reads such a row first would be measured writing it.
 */
async function inPieces(owner: Pool, count: number, seed: (size: number) => Promise<unknown>): Promise<void> {
  await owner.query('set synchronous_commit = off; set session_replication_role = replica')
  for (const size of chunks(count, 50_000)) await seed(size)
  await owner.query('reset synchronous_commit; reset session_replication_role')
  await owner.query('vacuum analyze')
  await owner.query('checkpoint')
}

function history(owner: Pool, workspaceId: string, repoId: string, count: number) {
  return owner.query(
    `with t as (
       insert into tasks (workspace_id, id, repo_id, repo, title, spec, lane, tier, guessed_tier, retries, state, ending, reason, epoch, attempt,
                          branch, commit, created_by, started_at, ended_at)
       select $1, uuidv7(interval '-1 day'), $2, 'bench', 'A task of the bench',
              '{"run": "true", "prompt": null, "checks": [], "needs": [], "fileHints": [], "criteria": [], "metadata": {},
                "onlyWorkerId": null, "delayMs": 0, "ttlMs": null, "mayChange": [], "allowEmpty": false,
                "wall": "namespace", "network": "none", "timeoutMs": 1800000}',
              2, 'standard', 'standard', 0, 'done', 'verified', 'All checks passed.', 1, 1, 'muster/shell/x', repeat('c', 40), 'owner',
              now(), now()
       from generate_series(1, $3::int) returning id
     ), r as (
       insert into runs (workspace_id, id, task_id, attempt, epoch, worker_id, worker, agent, wall, ending, ended_at)
       select $1, uuidv7(interval '-1 day'), id, 1, 1, $1, 'w', 'shell', 'namespace', 'verified', now() from t
       returning id, task_id
     ), e as (
       insert into evidence (workspace_id, task_id, run_id, commit, report)
       select $1, task_id, id, repeat('c', 40), '{}' from r
     )
     insert into events (workspace_id, kind, task_id, actor, data)
     select $1, kind, id, 'muster', '{"epoch": 1}'
     from t, unnest(array['task.created', 'task.assigned', 'task.accepted', 'task.done']) as kind`,
    [workspaceId, repoId, count],
  )
}

function backlog(owner: Pool, workspaceId: string, repoId: string, count: number) {
  return owner.query(
    `with t as (
       insert into tasks (workspace_id, id, repo_id, repo, title, spec, lane, tier, guessed_tier, retries, state, created_by)
       select $1, uuidv7(), $2, 'bench', 'A task of the bench',
              '{"run": "true", "prompt": null, "checks": [{"kind": "file_exists", "target": "x"}], "needs": [], "fileHints": [], "criteria": [], "metadata": {},
                "onlyWorkerId": null, "delayMs": 0, "ttlMs": null, "mayChange": [], "allowEmpty": false,
                "wall": "namespace", "network": "none", "timeoutMs": 1800000}',
              2, 'standard', 'standard', 0, 'queued', 'owner'
       from generate_series(1, $3::int) returning id
     )
     insert into task_queue (workspace_id, task_id, repo_id, lane, wall, timeout_ms, epoch)
     select $1, id, $2, 2, 'namespace', 1800000, 0 from t`,
    [workspaceId, repoId, count],
  )
}
