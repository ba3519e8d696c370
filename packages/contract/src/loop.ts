import { z } from 'zod'
import { tier } from './task-states.ts'
import { id, text, timestamp } from './text.ts'

/** The wire that a model's server speaks; `practice` is built in and plays a script. */
export const modelProviders = ['ollama', 'openai', 'anthropic', 'practice'] as const
export const modelProvider = z.enum(modelProviders)

/** Free: costs nothing and thinks nothing. Local: a machine of one's own. Api: somebody is paid. */
export const costClass = z.enum(['free', 'local', 'api'])

/** A model by the exact name that its server gives it. */
export const modelName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\w.:/@+-]+$/, 'must be the name of a model as its server writes it')

/** Whom a run asks, as routing chose. */
export const chosenModel = z
  .object({
    name: z.string().describe('The exact name to ask for.'),
    provider: modelProvider.describe('The wire that its server speaks.'),
    endpoint: z.string().describe('The endpoint, as people see it.'),
    url: z
      .string()
      .nullable()
      .describe('Where it is asked. Null: built in. With `gateway` a path of the hub, as you reach it.'),
    via: z
      .enum(['direct', 'gateway', 'built_in'])
      .describe('`gateway`: through the hub, which keeps the key and the budget.'),
    contextTokens: z.int().min(1).describe('Tokens that prompt and answer may have together.'),
    costClass: costClass.describe('What a call costs: nothing, the machine, or money.'),
  })
  .meta({ title: 'model', description: 'The model that a run asks.' })
export type ChosenModel = z.infer<typeof chosenModel>

const call = z.object({
  id: z.string().max(200),
  name: z.string().max(200),
  args: z.record(z.string(), z.unknown()),
  rescued: z.enum(['tool_call_json', 'function_xml', 'fenced_json', 'bare_json']).optional(),
  malformed: z.string().max(2_000).optional(),
})

// What a model may say at once; longer answers are cut by the worker and said to be.
const said = text(400_000)

/** One message of a conversation with a model. */
export const modelMessage = z
  .discriminatedUnion('role', [
    z.object({ role: z.literal('system'), text: said }),
    z.object({ role: z.literal('user'), text: said, keep: z.boolean().optional() }),
    z.object({ role: z.literal('assistant'), text: said, calls: z.array(call).max(64) }),
    z.object({ role: z.literal('tool'), callId: z.string().max(200), name: z.string().max(200), text: said }),
  ])
  .meta({ title: 'model message', description: 'One message of a conversation with a model.' })

export const usage = z
  .object({
    inputTokens: z.int().min(0).describe('All that was read, with what came from a cache.'),
    outputTokens: z.int().min(0).describe('All that was written.'),
    cacheReadTokens: z.int().min(0).describe('Of the input, what came from the cache of the server.'),
    cacheWriteTokens: z.int().min(0).describe('Of the input, what was put into that cache.'),
    estimated: z.boolean().describe('Whether it was estimated, because the server did not count.'),
  })
  .meta({ title: 'usage', description: 'Tokens, as the server counted them or as they were estimated.' })
export type Usage = z.infer<typeof usage>

export const stepKinds = ['model', 'tool', 'verify'] as const

/**
 * One step of a run as people see it: a call of the model, a call of a tool, or a round of checks. Texts are trimmed;
 * the whole of it is in the messages that were recorded with it.
 */
const stepShown = {
  seq: z.int().min(1).max(10_000).describe('Counts the steps of one line of work from 1, over all its runs.'),
  kind: z.enum(stepKinds).describe('A call of the model, of a tool, or a round of checks.'),
  model: z.string().max(200).nullable().describe('The model that was asked.'),
  provider: modelProvider.nullable().describe('Of the model.'),
  tool: z.string().max(200).nullable().describe('The tool that was called.'),
  args: z.string().max(400).describe('Its arguments, trimmed.'),
  result: z.string().max(400).describe('What came of it, trimmed.'),
  text: z.string().max(4_000).describe('What the model said, trimmed.'),
  success: z.boolean().describe('Whether it did what it was to do.'),
  code: z.string().max(80).nullable().describe('Why not, as a stable code.'),
  usage: usage.nullable().describe('Tokens of a call of the model.'),
  ms: z.number().min(0).describe('How long it took.'),
}

export const stepSaid = z
  .object(stepShown)
  .meta({ title: 'step', description: 'One step of a run that works with a model.' })
export type StepSaid = z.infer<typeof stepSaid>

export const step = z.object({
  ...stepShown,
  runId: id,
  endpoint: z.string().nullable(),
  /** Of the call, in millionths of a US dollar. */
  costMicroUsd: z.int(),
  at: timestamp,
})
export type Step = z.infer<typeof step>

export const taskStepsQuery = z.strictObject({
  /** A run that belongs to the line of work; absent: the newest. */
  run: id.optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(200),
})
export const taskSteps = z.object({ items: z.array(step), nextAfter: z.int().nullable() })

/** The state of the files after a step, as a commit on top of the base. */
export const workspaceState = z
  .object({
    base: z.string().max(64).describe('The commit that the work started from.'),
    commit: z.string().max(64).describe('The commit that holds the files.'),
    bundle: z
      .string()
      .max(3_000_000)
      .nullable()
      .describe('A git bundle from base to commit, as base64. Null: there is nothing beyond the base.'),
  })
  .meta({ title: 'workspace', description: 'The files of a run after a step.' })
export type WorkspaceState = z.infer<typeof workspaceState>

/** What a run needs to go on where an earlier one stopped. */
export const checkpoint = z
  .object({
    steps: z.int().describe('How many steps are recorded.'),
    messages: z.array(modelMessage).describe('The conversation so far.'),
    state: z.record(z.string(), z.unknown()).describe('What the loop counted, as it was said.'),
    workspace: workspaceState.nullable().describe('The files. Null: as in the base.'),
  })
  .meta({ title: 'checkpoint', description: 'Where an earlier run of this task stopped.' })
export type Checkpoint = z.infer<typeof checkpoint>

/** What a task with a prompt asks of its run. */
export const loopWork = z
  .object({
    prompt: z.string().describe('What is to be done, in words. It is not trusted.'),
    criteria: z.array(z.string()).describe('What must be true at the end, in words.'),
    fileHints: z.array(z.string()).describe('Files that the work is probably about.'),
    tier: tier.describe('How hard it is thought to be; sets the limits of the loop.'),
    model: chosenModel,
    practice: z.string().nullable().describe('The script of the practice model.'),
    gatewayToken: z.string().nullable().describe('For the gateway; it dies with the run.'),
    budgetMicroUsd: z
      .int()
      .min(0)
      .nullable()
      .describe('What the run may spend, in millionths of a US dollar.'),
    fixes: z.int().min(0).max(5).describe('How often failed checks go back to the model.'),
    resumeSteps: z
      .int()
      .min(0)
      .describe('Steps that an earlier run of this line of work recorded; ask for them with `resume`.'),
  })
  .meta({ title: 'loop', description: 'What a task with a prompt asks of its run.' })
export type LoopWork = z.infer<typeof loopWork>
