import { z } from 'zod'
import { wallKind } from './task-states.ts'
import { id, timestamp } from './text.ts'

export const wallStatus = z
  .object({
    kind: wallKind.describe('What isolates a run.'),
    ok: z.boolean().describe('Whether it works; only then are tasks given that ask for it.'),
    detail: z.string().max(2_000).describe('What was found, for a person.'),
    fix: z.string().max(2_000).optional().describe('The one command that would help, if it does not work.'),
  })
  .meta({ title: 'wall', description: 'A wall of a worker, and whether it works.' })
export type WallStatus = z.infer<typeof wallStatus>

/** Who starts a worker again when it ends. `none`: nobody, so it must not end by itself. */
export const supervisorKinds = ['systemd', 'pm2', 'up', 'join', 'none'] as const

export const supervisor = z
  .object({
    kind: z
      .enum(supervisorKinds)
      .describe('Who starts you again when you end; `none`: nobody, so you must not end by yourself.'),
    name: z.string().max(256).optional().describe('The unit of systemd, or the name of the process in pm2.'),
    restarts: z.int().min(0).optional().describe('How often you were started again, where that is known.'),
    startedAt: timestamp.optional().describe('When this process of yours started.'),
    uptimeMs: z.int().min(0).optional().describe('How long it has run.'),
    memoryBytes: z.int().min(0).optional().describe('The memory that it uses.'),
  })
  .meta({ title: 'supervisor', description: 'Who runs a worker and starts it again.' })
export type Supervisor = z.infer<typeof supervisor>

/** Why a worker that is here takes no work. */
export const blocked = z
  .object({
    code: z.enum(['disk_full']).describe('Why no task is taken.'),
    reason: z.string().max(500).describe('One sentence for a person.'),
  })
  .meta({ title: 'blocked', description: 'Why a worker that is here takes no work.' })
export type Blocked = z.infer<typeof blocked>

/** How a machine does (LLM-14). Null where that cannot be known, such as on one without a graphics card. */
export const resources = z
  .object({
    cpuPercent: z
      .number()
      .min(0)
      .max(100)
      .describe('How busy all cores together were since the last report.'),
    cores: z.int().min(1).max(4_096).describe('Cores that it has.'),
    ramTotalBytes: z.number().min(0).describe('Memory that it has.'),
    ramFreeBytes: z.number().min(0).describe('Memory that programs could have now.'),
    vramTotalBytes: z.number().min(0).nullable().describe('Memory of all graphics cards.'),
    vramFreeBytes: z.number().min(0).nullable().describe('What of that is free.'),
  })
  .meta({ title: 'resources', description: 'How the machine of a worker does.' })
export type Resources = z.infer<typeof resources>

export const restartCauses = ['order', 'signal', 'memory'] as const

/** What a worker does, as one word; the hub derives it and records each step. */
export const agentStates = ['offline', 'idle', 'assigned', 'working', 'blocked'] as const
export type AgentState = (typeof agentStates)[number]

/** A worker is named by its name or its id. */
export const workerRef = z.string().min(1).max(64)

export const workerRestart = z.strictObject({
  /** Stop what runs at once instead of letting it finish. */
  force: z.boolean().default(false),
})

export const worker = z.object({
  id,
  name: z.string(),
  connected: z.boolean(),
  state: z.enum(agentStates),
  /** When it let an assignment pass without accepting it; null again once it takes one. */
  flaggedAt: timestamp.nullable(),
  /** What it last said about itself; empty if nothing. */
  status: z.string(),
  version: z.string().nullable(),
  /** What speaks for it, in its own words, such as `muster-worker/0.0.1`. */
  client: z.string().nullable(),
  /** What it says it can do beyond running a command; tasks ask for it by `needs`. */
  capabilities: z.array(z.string()),
  slots: z.int(),
  busy: z.int(),
  /** Takes no new task until it is uncordoned; why, if it is so. */
  cordoned: z.string().nullable(),
  walls: z.array(wallStatus),
  host: z.string().nullable(),
  /** As it last said; null for one that does not say. */
  supervisor: supervisor.nullable(),
  blocked: blocked.nullable(),
  /** It has announced that it restarts itself, and takes no work until it is back. */
  restarting: z.boolean(),
  /** How its machine does, as it said within the last 90 s; null if it did not. */
  resources: resources.nullable(),
  lastSeenAt: timestamp.nullable(),
  createdAt: timestamp,
})
export type Worker = z.infer<typeof worker>
