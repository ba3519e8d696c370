/** Rooms of the hub by floor. An arrow goes to a strictly lower floor only. */
export const floors: Record<string, number> = {
  kernel: 0,
  identity: 1,
  costs: 1,
  agents: 2,
  models: 2,
  repos: 2,
  mail: 3,
  tasks: 3,
  runs: 4,
  gateway: 5,
}

/** Files of a room that another room may import: its door, and what the door's types name. */
export const doors: Record<string, string[]> = {
  kernel: ['*'],
  identity: ['identity.ts'],
  costs: ['costs.ts'],
  agents: ['agents.ts', 'roll.ts', 'socket.ts', 'connections.ts'],
  mail: ['mail.ts'],
  models: ['models.ts', 'supply.ts', 'look.ts'],
  repos: ['repos.ts'],
  tasks: ['tasks.ts', 'lease.ts', 'hold.ts', 'limits.ts', 'bulk.ts'],
  runs: ['runs.ts'],
  gateway: ['gateway.ts'],
}

/** Who may import whom among the workspaces. `testkit` is for tests and may be imported by any of them. */
export const allowedWorkspaces: Record<string, string[]> = {
  'packages/contract': [],
  'packages/sandbox': [],
  'packages/postgres': [],
  'packages/testkit': ['packages/postgres'],
  'packages/sdk': ['packages/contract'],
  'packages/llm': [],
  'packages/agent': ['packages/llm', 'packages/sandbox'],
  'apps/hub': ['packages/contract', 'packages/llm'],
  'apps/worker': ['packages/contract', 'packages/sdk', 'packages/llm', 'packages/sandbox', 'packages/agent'],
  'apps/cli': ['packages/contract', 'packages/sdk', 'packages/postgres'],
  'apps/web': ['packages/contract', 'packages/sdk'],
}

/** A table is named only by the room that owns it; `kernel` holds what all rooms write through. */
export const tables: Record<string, string[]> = {
  kernel: ['events', 'idempotency_keys', 'migrations', 'duties', 'duty_firings'],
  identity: ['workspaces', 'people', 'tokens', 'sessions', 'sign_in_links'],
  repos: ['repos'],
  costs: ['prices', 'budgets', 'reservations', 'calls', 'call_limits', 'cost_alerts'],
  agents: ['workers'],
  models: ['endpoints', 'endpoint_models', 'model_tiers', 'model_settings'],
  mail: ['mail_heads', 'messages', 'mailboxes', 'mailbox_entries', 'channels', 'channel_members'],
  tasks: ['tasks', 'task_queue', 'task_dependencies', 'queue_settings'],
  runs: ['runs', 'evidence', 'run_output', 'steps', 'checkpoints'],
}
