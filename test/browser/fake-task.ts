import { randomUUID } from 'node:crypto'
import type { Task, TaskCreate } from '@muster/contract/tasks'

/** A task as the hub keeps one that has just been handed in. */
export function newTask(part: Partial<Task>): Task {
  const id = randomUUID()
  return {
    id,
    short: id.slice(-8),
    title: 'A task',
    repo: 'demo',
    state: 'queued',
    ending: null,
    lane: 'normal',
    tier: 'standard',
    attempt: 0,
    failures: 0,
    retries: 1,
    notBefore: null,
    phase: null,
    worker: null,
    branch: null,
    commit: null,
    createdAt: new Date().toISOString(),
    startedAt: null,
    endedAt: null,
    description: null,
    run: 'echo hello',
    prompt: null,
    model: null,
    practice: false,
    fixes: 3,
    budgetUsd: null,
    declaredChecks: [],
    after: [],
    needs: [],
    onlyWorker: null,
    fileHints: [],
    criteria: [],
    metadata: {},
    guessedTier: 'standard',
    completeBy: null,
    expiresAt: null,
    assigned: null,
    wall: 'namespace',
    network: 'none',
    mayChange: [],
    allowEmpty: false,
    timeoutMs: 1_800_000,
    epoch: 0,
    deadlineAt: null,
    createdBy: 'owner',
    reason: null,
    checks: [],
    proof: null,
    runId: null,
    ...part,
  }
}

export function fromOrder(order: TaskCreate): Partial<Task> {
  const { repo = 'demo', title, lane, checks, mayChange } = order
  return {
    repo,
    title,
    lane,
    mayChange,
    run: order.run ?? null,
    declaredChecks: checks,
    timeoutMs: order.timeoutMs ?? 1_800_000,
  }
}
