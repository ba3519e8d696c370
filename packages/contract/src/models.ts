import { z } from 'zod'
import { costClass, modelName } from './loop.ts'
import { tier } from './task-states.ts'
import { id, line, slugName, timestamp } from './text.ts'

/** The wire that an endpoint speaks. */
export const endpointKinds = ['ollama', 'openai', 'anthropic'] as const
export type EndpointKind = (typeof endpointKinds)[number]

/** Who named it: a person, the settings of the hub, or the worker that runs beside it. */
export const endpointSources = ['manual', 'settings', 'worker'] as const
export const endpointHealths = ['unknown', 'healthy', 'unhealthy'] as const
export type EndpointHealth = (typeof endpointHealths)[number]

/** An endpoint is named by its name or its id. */
export const endpointRef = z.string().min(1).max(64)

export const endpointCreate = z.strictObject({
  name: slugName,
  kind: z.enum(endpointKinds).default('ollama'),
  /** http or https, without credentials; an Ollama at its root, the others with or without `/v1`. */
  url: line(512),
  /** Whether what is sent there leaves the machines of its owner. Default: as the address suggests. */
  cloud: z.boolean().optional(),
  /** Runs that use it at once, at most. */
  limit: z.int().min(1).max(1_000).default(4),
  /** For a server that does not list its models. */
  models: z.array(modelName).max(100).default([]),
})
export type EndpointCreate = z.infer<typeof endpointCreate>

/** A model that an endpoint offers. */
export const endpointModel = z.object({
  name: z.string(),
  endpoint: z.string(),
  tier,
  /** Whether a person set the tier; otherwise it follows from the size. */
  tierByHand: z.boolean(),
  /** Loaded now, so that its first answer does not wait for the disk. */
  warm: z.boolean(),
  /** What is sent to it leaves the machines of its owner. */
  cloud: z.boolean(),
  /** Null where the server does not say. */
  contextTokens: z.int().nullable(),
  capabilities: z.array(z.string()).nullable(),
  parameterSize: z.string().nullable(),
  quantization: z.string().nullable(),
  /** Of a warm one, what lies in the memory of the graphics card. */
  vramBytes: z.number().nullable(),
  /** Why no task is given to it now; null while nothing is in the way. */
  unfit: z.string().nullable(),
  seenAt: timestamp,
})
export type EndpointModel = z.infer<typeof endpointModel>

export const endpoint = z.object({
  id,
  name: z.string(),
  kind: z.enum(endpointKinds),
  url: z.string(),
  source: z.enum(endpointSources),
  /** The worker that announced it. */
  worker: z.string().nullable(),
  cloud: z.boolean(),
  limit: z.int(),
  health: z.enum(endpointHealths),
  /** Checks that failed since the last one that did not. */
  failures: z.int(),
  error: z.string().nullable(),
  version: z.string().nullable(),
  checkedAt: timestamp.nullable(),
  /** Runs reported that it fails; until then it is given to none. */
  pausedUntil: timestamp.nullable(),
  createdAt: timestamp,
  models: z.array(endpointModel),
})
export type Endpoint = z.infer<typeof endpoint>

/** A model as the worker beside its server found it. */
export const reportedModel = z
  .object({
    name: modelName.describe('As the server writes it.'),
    digest: z.string().max(128).nullable().describe('What the server calls its content.'),
    contextTokens: z.int().min(1).nullable().describe('Tokens that it reads, if the server says so.'),
    capabilities: z.array(z.string().max(32)).max(32).nullable().describe('What it can do, such as `tools`.'),
    parameterSize: z.string().max(32).nullable().describe('Such as `8.2B`.'),
    quantization: z.string().max(32).nullable().describe('Such as `Q4_K_M`.'),
    warm: z.boolean().describe('Loaded now.'),
    vramBytes: z.int().min(0).nullable().describe('Of a loaded one, what lies in graphics memory.'),
    remote: z.boolean().describe("Its server passes what it is asked on to somebody else's."),
  })
  .meta({ title: 'reported model', description: 'A model as the worker beside its server found it.' })

/** Why a run asks the model that it asks, from the code that chose it (SCHED-06). */
export const routing = z.object({
  /** What the task is for; the tier of the model differs from it only by a fallback. */
  wanted: tier,
  tier,
  fallback: z.object({ from: tier, why: z.string() }).nullable(),
  /** One sentence. */
  reason: z.string(),
  costClass,
  /** At most ten, the chosen one first. */
  candidates: z.array(
    z.object({ endpoint: z.string(), model: z.string(), score: z.number(), why: z.string() }),
  ),
})
export type Routing = z.infer<typeof routing>

/** A model that somebody asked for and that no endpoint has. */
export const missingModel = z.object({
  name: z.string(),
  /** `MUSTER_MODEL`, or how many tasks wait for it. */
  wantedBy: z.string(),
  /** The command that brings it, for a person to run; Muster never pulls a model. */
  command: z.string(),
})
export type MissingModel = z.infer<typeof missingModel>

export const modelList = z.object({
  /** Every model of every endpoint. */
  items: z.array(endpointModel),
  endpoints: z.array(endpoint),
  missing: z.array(missingModel),
  /** Whether tasks of this workspace may be sent to models elsewhere. */
  cloudAllowed: z.boolean(),
  nextCursor: z.null(),
})
export type ModelList = z.infer<typeof modelList>

export const tierSet = z.strictObject({
  model: modelName,
  /** Null: as its size suggests. */
  tier: tier.nullable(),
})

export const cloudSet = z.strictObject({ allowed: z.boolean() })
