import { z } from 'zod'
import { check, report } from './checks.ts'
import { checkpoint, loopWork, modelMessage, stepSaid, usage, workspaceState } from './loop.ts'
import { reportedModel } from './models.ts'
import { partial } from './runs.ts'
import { ending, executors, runPhase, wallKind } from './task-states.ts'
import { capability, commitId, id } from './text.ts'
import { mailAnswer, mailPushes, mailRequests } from './wire-mail.ts'
import { blocked, resources, restartCauses, supervisor, wallStatus } from './workers.ts'

/**
 * The wire between a worker and its hub: JSON text messages over one WebSocket at /api/v1/workers/socket.
 *
 * A worker says `hello` first, with everything it still holds; the hub answers `welcome` with one decision for
 * each. From then on the hub assigns, the worker accepts, renews and reports. Requests of the worker carry an
 * `id` and get exactly one `reply`. Every message about a run carries the epoch of its assignment; the hub
 * refuses an older one with `stale_epoch` and changes nothing.
 *
 * The descriptions are docs/protocol.md: a client is written from them alone.
 */
export const wireVersion = 1

/** A lease lasts this long from the renewal, by the database's clock. Renewed three times within it. */
export const leaseMs = 10_000

/** A worker that says nothing at all within this time after connecting is not a worker. */
export const helloWithinMs = 10_000

/** The largest message of a worker. The end of a run is cut to fit; what is larger ends the connection. */
export const maxMessageBytes = 4 * 1024 * 1024

/** So many messages that do not fit are answered on one connection; one more ends it. */
export const maxBadMessages = 10

/** Names one assignment; together they fence every write. */
const held = {
  taskId: id.describe('The task, from its assignment.'),
  epoch: z.int().min(1).describe('The epoch of the assignment. An older one is refused with `stale_epoch`.'),
}

export const heldRun = z.object({
  ...held,
  runId: id.describe('The run, from its assignment.'),
  phase: z
    .union([runPhase, z.enum(['assigned', 'finished', 'lost'])])
    .describe(
      'What the run is doing. `lost`: the process that ran it is gone. `finished`: only the report is left to deliver.',
    ),
})
export type HeldRun = z.infer<typeof heldRun>

export const assignment = z.object({
  ...held,
  runId: id.describe('The run that this assignment begins.'),
  attempt: z.int().min(1).describe('Which attempt at the task this is, from 1.'),
  title: z.string().describe('The title of the task.'),
  description: z.string().nullable().optional().describe('More about it, if there is more.'),
  repo: z
    .object({
      id: id.describe('Its id.'),
      name: z.string().describe('Its name, as people see it.'),
      url: z.string().describe('What git clones: a path on the machine of the hub, or a URL.'),
    })
    .describe('The repository.'),
  agent: z.string().describe('The agent that the branches are named after.'),
  branch: z
    .string()
    .describe('Where proven work is put. It must not exist there before: create it, never overwrite.'),
  failedBranch: z.string().describe('Where work that did not pass may be kept.'),
  executor: z
    .enum(executors)
    .describe('`shell`: run `command`. `loop`: let a model work with tools, see `loop`.'),
  command: z
    .string()
    .describe(
      'A shell command that the task wants run inside a wall. It is not trusted: never run it on the host. Empty with `loop`.',
    ),
  loop: loopWork
    .nullable()
    .default(null)
    .describe('With the executor `loop`: what is asked, and of which model.'),
  checks: z.array(check).describe('What must be executed on the result, each one, before the task is done.'),
  mayChange: z.array(z.string()).describe('Globs of files that define the proof and may be changed.'),
  allowEmpty: z.boolean().describe('Whether a run that changes nothing may be a success.'),
  wall: wallKind.describe('The kind of wall that the task asks for.'),
  network: z.string().describe('What the wall may reach: `none`, `local`, `full` or `allow:NAMES`.'),
  timeoutMs: z.int().describe('What is left of the deadline when the hub sent this.'),
  deadlineMs: z.int().describe('The whole deadline, for what is said of it.'),
})
export type Assignment = z.infer<typeof assignment>

export const runResult = z.object({
  ending: ending.describe(
    '`verified` only if the work is on the branch and every check passed; otherwise what really happened.',
  ),
  reason: z.string().max(2_000).describe('One sentence for a person.'),
  exitCode: z.int().nullable().describe('Of the command, if one was run.'),
  base: commitId.nullable().describe('The commit that the work started from.'),
  commit: commitId.nullable().describe('The commit that is the work.'),
  branch: z
    .string()
    .nullable()
    .describe("Where the commit was put in the person's repository, if it was; granted by `publish` before."),
  report: report.nullable().describe('What the checks found on exactly this commit; null when none was run.'),
  diff: z.string().max(1_200_000).describe('The unified diff from base to commit, for people to read.'),
  diffTruncated: z.boolean().describe('Whether there is more of the diff.'),
  partial: partial.nullable().optional().describe('With `partial_pass`: what is done and what remains.'),
})
export type RunResult = z.infer<typeof runResult>

const request = {
  id: z.int().min(1).describe('Chosen by you; the one reply to this message has it as `to`.'),
}

const capabilities = z
  .array(capability)
  .max(64)
  .transform((names) => [...new Set(names)])

const hello = z
  .object({
    type: z.literal('hello'),
    ...request,
    wire: z.literal(wireVersion).describe('The version of this protocol.'),
    instance: z
      .string()
      .min(1)
      .max(128)
      .describe(
        'Any text that stays the same for this worker over restarts and is nobody else’s. While it is connected, ' +
          'another instance with the same token is refused with `worker_already_connected`.',
      ),
    client: z
      .string()
      .max(64)
      .optional()
      .describe('What you are, such as `my-script` or `muster-worker/0.0.1`.'),
    version: z.string().max(64).optional().describe('Your version.'),
    host: z.string().max(256).optional().describe('Where you run, for people to read.'),
    slots: z.int().min(1).max(256).default(1).describe('How many tasks you take at once.'),
    capabilities: capabilities
      .default([])
      .describe('What you can do beyond running a command. Written in any case, kept in lower case.'),
    walls: z
      .array(wallStatus)
      .max(8)
      .default([])
      .describe(
        'The walls you have. A worker without a wall that is `ok` is given no task. By declaring one, the operator ' +
          'of this token gives his word that what the task brings is isolated from the machine.',
      ),
    holding: z
      .array(heldRun)
      .max(256)
      .default([])
      .describe('Every run that you still hold from an earlier connection; the welcome decides on each.'),
    supervisor: supervisor
      .optional()
      .describe('Who runs you and starts you again. Without it the hub will not order a restart.'),
    blocked: blocked.optional().describe('Why you take no tasks now, although you are here.'),
  })
  .describe('The first message, within 10 s of connecting, and never a second time. Answered by `welcome`.')

/** What a worker may send. */
export const workerMessage = z.discriminatedUnion('type', [
  hello,
  z
    .object({
      type: z.literal('walls'),
      ...request,
      walls: z.array(wallStatus).max(8).describe('All walls you have.'),
    })
    .describe('The walls have changed. From the reply on, only those that are `ok` count.'),
  z
    .object({
      type: z.literal('condition'),
      ...request,
      supervisor: supervisor.describe('Who runs you.'),
      blocked: blocked.nullable().describe('Why you take no tasks now; null if you do.'),
      resources: resources
        .optional()
        .describe('How your machine does. Believed for 90 s; models on it are chosen by it.'),
    })
    .describe('How you yourself do: every 30 s, and at once when you become blocked or free.'),
  z
    .object({
      type: z.literal('ollama_report'),
      ...request,
      url: z.string().min(1).max(512).describe('Where you reach it. A loopback address means your machine.'),
      version: z.string().max(64).nullable().describe('As it says.'),
      models: z
        .array(reportedModel)
        .max(500)
        .nullable()
        .describe('All that it has. Null: it does not answer.'),
      problem: z.string().max(256).nullable().describe('Why it does not answer, in a few words.'),
    })
    .describe(
      'The Ollama of your machine, as you found it: every 30 s. It becomes an endpoint that only you are given, unless ' +
        'others reach the address too. What was not reported for 90 s is not used.',
    ),
  z
    .object({
      type: z.literal('restarting'),
      ...request,
      cause: z.enum(restartCauses).describe('`order` of the hub, `signal`, or `memory`.'),
      reason: z.string().max(500).describe('One sentence for a person.'),
      graceMs: z.int().min(0).describe('What you run has this long to end; refuse the rest with `run_lost`.'),
    })
    .describe('You restart yourself. Nothing is assigned to you until your next hello.'),
  z
    .object({
      type: z.literal('wake'),
      ...request,
      ...held,
      attempt: z.int().min(1).max(16).describe('Which try this is.'),
      state: z
        .enum(['trying', 'woken', 'failed'])
        .describe('`trying` starts the time for acceptance anew: a host may take longer to wake than that.'),
      exitCode: z.int().nullable().describe('Of the wake command, once it has ended.'),
      output: z.string().max(2_048).describe('What it printed.'),
    })
    .describe('You wake the host that the task needs, before you accept the assignment.'),
  z
    .object({ type: z.literal('accept'), ...request, ...held })
    .describe('You take the assignment. Say it soon: the lease runs from the assignment on.'),
  z
    .object({
      type: z.literal('refuse'),
      ...request,
      ...held,
      code: z
        .string()
        .max(64)
        .describe(
          '`sandbox_unavailable`, `disk_full` or `worker_restarting` for what lies in you and passes; anything else counts as ' +
            'a lost run.',
        ),
      reason: z.string().max(2_000).describe('One sentence for a person.'),
    })
    .describe('You give the task back to the queue.'),
  z
    .object({
      type: z.literal('renew'),
      ...request,
      leases: z.array(z.object(held)).max(256).describe('All that you hold.'),
    })
    .describe(
      'Renews the leases of all you hold; say it three times within one lease. The reply names in `lost` those that ' +
        'are gone: stop their work at once.',
    ),
  z
    .object({ type: z.literal('phase'), ...request, ...held, phase: runPhase.describe('What the run does.') })
    .describe('The run enters another phase.'),
  z
    .object({
      type: z.literal('output'),
      ...request,
      ...held,
      batch: z
        .int()
        .min(0)
        .describe('Counts the batches of a run from 0, so that one that is sent twice is stored once.'),
      chunks: z
        .array(
          z.object({
            stream: z.enum(['stdout', 'stderr', 'system']).describe('`system`: what you say about the run.'),
            text: z.string().max(70_000).describe('As it was printed.'),
          }),
        )
        .max(64)
        .describe('What was printed, in order.'),
    })
    .describe('What the run printed. It is kept and shown live.'),
  z
    .object({
      type: z.literal('progress'),
      ...held,
      text: z.string().max(256).describe('A few words.'),
      percent: z.number().min(0).max(100).nullable().describe('How far, if that can be said.'),
    })
    .describe(
      'What the run does right now, for whoever watches. Not kept, and answered only when it is refused: it has no `id`, so ' +
        'by an `error` with `stale_epoch`, which is not counted as a bad message.',
    ),
  z
    .object({
      type: z.literal('delta'),
      ...held,
      channel: z.enum(['text', 'thinking']).describe('An answer, or the thinking before it.'),
      text: z.string().max(64_000).describe('The next piece of it.'),
    })
    .describe(
      'What the model says at this moment, gathered for 100 ms, for whoever watches. Not kept, and refused as `progress` is.',
    ),
  z
    .object({
      type: z.literal('step'),
      ...request,
      ...held,
      step: stepSaid.describe('What was done.'),
      messages: z.array(modelMessage).max(16).describe('What it added to the conversation, whole.'),
      state: z.record(z.string(), z.unknown()).describe('What the loop counts; given back on `resume`.'),
      workspace: workspaceState.nullable().describe('The files after it. Null: as they were.'),
      failure: z
        .object({
          class: z
            .string()
            .max(40)
            .describe('`unavailable`, `busy`, `quota`, `invalid_request`, `cut_off` or `refused`.'),
          message: z.string().max(1_000).describe('One sentence for a person.'),
        })
        .nullable()
        .optional()
        .describe('Why the model did not answer, if it did not.'),
      totals: usage.nullable().optional().describe('Tokens of this run so far.'),
    })
    .describe(
      'A step is done. Wait for the reply before the next one: then it is on disk, and a run that follows this one goes ' +
        'on behind it. One that is sent twice is recorded once.',
    ),
  z
    .object({ type: z.literal('resume'), ...request, ...held })
    .describe('Asks for what earlier runs of this line of work recorded; the reply has it as `checkpoint`.'),
  z
    .object({
      type: z.literal('park'),
      ...request,
      ...held,
      delayMs: z
        .int()
        .min(0)
        .max(8 * 86_400_000)
        .describe('How long the task is to wait.'),
      reason: z.string().max(2_000).describe('One sentence for a person.'),
    })
    .describe(
      'The run cannot go on now through no fault of its own, such as a quota that is used up. The task waits that long ' +
        'and goes on from its last step; nothing is held against it.',
    ),
  z
    .object({
      type: z.literal('publish'),
      ...request,
      ...held,
      branch: z.string().max(255).describe('`branch` or `failedBranch` of the assignment.'),
      commit: commitId.describe('The commit that you are about to put there.'),
    })
    .describe(
      'Asks for the right to put the commit on the branch. Granted to the current epoch only; push after the reply, ' +
        'not before.',
    ),
  z
    .object({
      type: z.literal('finish'),
      ...request,
      ...held,
      runId: id.describe('The run, from its assignment.'),
      result: runResult.describe('How it ended.'),
    })
    .describe(
      'The end of the run. Send it again until it is answered: one that is recorded already is answered with yes.',
    ),
  ...mailRequests,
])
export type WorkerMessage = z.infer<typeof workerMessage>

const refusal = {
  code: z.string().describe('One of the codes below.'),
  message: z.string().describe('What is wrong with this very message.'),
}

/** What the hub may send. */
export const hubMessage = z.discriminatedUnion('type', [
  z
    .object({
      type: z.literal('welcome'),
      to: z.int().describe('The `id` of the hello.'),
      workerId: id.describe('Your id.'),
      workerName: z.string().describe('Your name, as people see it.'),
      leaseMs: z.int().describe('How long a lease lasts from its assignment or renewal.'),
      decisions: z
        .array(
          z.object({
            ...held,
            action: z.enum(['continue', 'abort']).describe('`abort`: the lease is gone.'),
            reason: z.string().describe('One sentence for a person.'),
          }),
        )
        .describe('One for each run in `holding`: go on with it, or stop it and throw its work away.'),
    })
    .describe('You are in. The answer to `hello`.'),
  z
    .object({ type: z.literal('assign'), assignment: assignment.describe('What is to be done.') })
    .describe('A task for you. Answer with `accept` or `refuse`.'),
  z
    .object({ type: z.literal('cancel'), ...held, reason: z.string().describe('One sentence for a person.') })
    .describe('The task is cancelled: stop its work at once. There is nothing to finish.'),
  z
    .object({ type: z.literal('stop'), reason: z.string().describe('Who ordered it, or why.') })
    .describe('Stop everything that you run, at once. The hub has taken it all back, or will when it can.'),
  z
    .object({
      type: z.literal('restart'),
      force: z.boolean().describe('Nothing that runs may finish.'),
      by: z.string().describe('Who ordered it.'),
    })
    .describe('Restart yourself. Answer with `restarting`.'),
  z
    .object({
      type: z.literal('reply'),
      to: z.int().describe('The `id` of your message.'),
      ok: z.boolean().describe('False: it was refused and nothing was changed.'),
      error: z
        .object({ ...refusal, hint: z.string().optional().describe('What to do next.') })
        .optional()
        .describe('Why it was refused.'),
      lost: z
        .array(z.object(held))
        .optional()
        .describe('To `renew`: the leases that are gone; their runs must be stopped.'),
      checkpoint: checkpoint
        .nullable()
        .optional()
        .describe('To `resume`: null when there is nothing to go on with.'),
      ...mailAnswer,
    })
    .describe('The one answer to a message with an `id`.'),
  z
    .object({
      type: z.literal('error'),
      to: z.int().optional().describe('The `id` of your message, if it could be read.'),
      ...refusal,
      hint: z.string().describe('What to do next.'),
    })
    .describe(
      'A message of yours does not fit the protocol, or has no `id` and is refused. It changed nothing.',
    ),
  ...mailPushes,
])
export type HubMessage = z.infer<typeof hubMessage>
