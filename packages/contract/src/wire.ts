import { z } from 'zod'
import { check, report } from './checks.ts'
import { ending, runPhase, wallKind } from './task-states.ts'
import { commitId, id } from './text.ts'
import { mailAnswer, mailPushes, mailRequests } from './wire-mail.ts'
import { blocked, restartCauses, supervisor, wallStatus } from './workers.ts'

/**
 * The wire between a worker and its hub: JSON text messages over one WebSocket at /api/v1/workers/socket.
 *
 * A worker says `hello` first, with everything it still holds; the hub answers `welcome` with one decision for
 * each. From then on the hub assigns, the worker accepts, renews and reports. Requests of the worker carry an
 * `id` and get exactly one `reply`. Every message about a run carries the epoch of its assignment; the hub
 * refuses an older one with `stale_epoch` and changes nothing.
 */
export const wireVersion = 1

/** A lease lasts this long from the renewal, by the database's clock. Renewed three times within it. */
export const leaseMs = 10_000

/** Names one assignment; together they fence every write. */
const held = { taskId: id, epoch: z.int().min(1) }

export const heldRun = z.object({
  ...held,
  runId: id,
  /** `lost`: the process that ran it is gone. `finished`: only the report is left to deliver. */
  phase: z.union([runPhase, z.enum(['assigned', 'finished', 'lost'])]),
})
export type HeldRun = z.infer<typeof heldRun>

export const assignment = z.object({
  ...held,
  runId: id,
  attempt: z.int().min(1),
  title: z.string(),
  description: z.string().nullable().optional(),
  repo: z.object({ id, name: z.string(), url: z.string() }),
  agent: z.string(),
  /** Branch for proven work, and the one for work that did not pass. */
  branch: z.string(),
  failedBranch: z.string(),
  executor: z.literal('shell'),
  command: z.string(),
  checks: z.array(check),
  mayChange: z.array(z.string()),
  allowEmpty: z.boolean(),
  wall: wallKind,
  network: z.string(),
  /** What is left of the deadline when the hub sent this. */
  timeoutMs: z.int(),
})
export type Assignment = z.infer<typeof assignment>

export const runResult = z.object({
  ending,
  reason: z.string().max(2_000),
  exitCode: z.int().nullable(),
  base: commitId.nullable(),
  commit: commitId.nullable(),
  /** Where the commit was put in the person's repository, if it was. */
  branch: z.string().nullable(),
  report: report.nullable(),
  diff: z.string().max(1_200_000),
  diffTruncated: z.boolean(),
})
export type RunResult = z.infer<typeof runResult>

const request = { id: z.int().min(1) }

export const workerMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    ...request,
    wire: z.literal(wireVersion),
    /** Made once per data directory: tells a reconnecting worker from a copy of its token. */
    instance: z.string().max(128),
    version: z.string().max(64),
    host: z.string().max(256),
    slots: z.int().min(1).max(256),
    walls: z.array(wallStatus).max(8),
    holding: z.array(heldRun).max(256),
    /** Who runs the worker; without it the hub will not order a restart. */
    supervisor: supervisor.optional(),
    blocked: blocked.optional(),
  }),
  z.object({ type: z.literal('walls'), ...request, walls: z.array(wallStatus).max(8) }),
  /** How the worker itself does: every 30 s, and at once when it becomes blocked or free. */
  z.object({ type: z.literal('condition'), ...request, supervisor, blocked: blocked.nullable() }),
  /**
   * The worker restarts itself: nothing may be assigned to it any more. What it runs has `graceMs` to end; the rest is
   * refused with `run_lost`.
   */
  z.object({
    type: z.literal('restarting'),
    ...request,
    cause: z.enum(restartCauses),
    reason: z.string().max(500),
    graceMs: z.int().min(0),
  }),
  /**
   * The host's wake command, before the assignment is accepted. `trying` is said at once and starts the time for
   * acceptance anew, because a host may take longer to wake than a worker has to accept.
   */
  z.object({
    type: z.literal('wake'),
    ...request,
    ...held,
    attempt: z.int().min(1).max(16),
    state: z.enum(['trying', 'woken', 'failed']),
    exitCode: z.int().nullable(),
    output: z.string().max(2_048),
  }),
  z.object({ type: z.literal('accept'), ...request, ...held }),
  z.object({
    type: z.literal('refuse'),
    ...request,
    ...held,
    code: z.string().max(64),
    reason: z.string().max(2_000),
  }),
  z.object({ type: z.literal('renew'), ...request, leases: z.array(z.object(held)).max(256) }),
  z.object({ type: z.literal('phase'), ...request, ...held, phase: runPhase }),
  z.object({
    type: z.literal('output'),
    ...request,
    ...held,
    /** Counts the batches of a run from 0, so that one that is sent twice is stored once. */
    batch: z.int().min(0),
    chunks: z
      .array(z.object({ stream: z.enum(['stdout', 'stderr', 'system']), text: z.string().max(70_000) }))
      .max(64),
  }),
  z.object({
    type: z.literal('progress'),
    ...held,
    text: z.string().max(256),
    percent: z.number().min(0).max(100).nullable(),
  }),
  /** Asks for the right to put the commit on the branch; granted to the current epoch only. */
  z.object({
    type: z.literal('publish'),
    ...request,
    ...held,
    branch: z.string().max(255),
    commit: commitId,
  }),
  z.object({ type: z.literal('finish'), ...request, ...held, runId: id, result: runResult }),
  ...mailRequests,
])
export type WorkerMessage = z.infer<typeof workerMessage>

export const hubMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    to: z.int(),
    workerId: id,
    workerName: z.string(),
    leaseMs: z.int(),
    decisions: z.array(z.object({ ...held, action: z.enum(['continue', 'abort']), reason: z.string() })),
  }),
  z.object({ type: z.literal('assign'), assignment }),
  z.object({ type: z.literal('cancel'), ...held, reason: z.string() }),
  /** Answered by `restarting`. With `force` nothing that runs may finish. */
  z.object({ type: z.literal('restart'), force: z.boolean(), by: z.string() }),
  z.object({
    type: z.literal('reply'),
    to: z.int(),
    ok: z.boolean(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    /** Answer to `renew`: the leases that are gone; their runs must be stopped. */
    lost: z.array(z.object(held)).optional(),
    ...mailAnswer,
  }),
  ...mailPushes,
])
export type HubMessage = z.infer<typeof hubMessage>
