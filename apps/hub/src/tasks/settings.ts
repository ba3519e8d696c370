import type { Tx } from '../kernel/db.ts'

/** Under a workspace transaction only its own row is there. */
const paused = {
  name: 'tasks_is_paused',
  text: 'select paused from queue_settings',
}

export async function isPaused(tx: Tx): Promise<boolean> {
  return (await tx.query<{ paused: boolean }>(paused))[0]?.paused === true
}

export async function setPaused(tx: Tx, workspaceId: string, value: boolean): Promise<void> {
  await tx.query(
    `insert into queue_settings (workspace_id, paused) values ($1, $2)
     on conflict (workspace_id) do update set paused = excluded.paused`,
    [workspaceId, value],
  )
}
