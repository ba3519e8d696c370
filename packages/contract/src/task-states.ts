import { z } from 'zod'

/** The life of a task; `review` and `draft` are reached by later parts of the platform only. */
export const taskStates = [
  'draft',
  'queued',
  'waiting',
  'assigned',
  'running',
  'verifying',
  'review',
  'done',
  'dead',
  'cancelled',
] as const
export const taskState = z.enum(taskStates)
export type TaskState = z.infer<typeof taskState>

/** How a run, and with its last run a task, came to its end. None of them lies about what was proven. */
export const endings = [
  'verified',
  'partial_pass',
  'execution_failed',
  'timed_out',
  'budget_exhausted',
  'stalled',
  'repeated',
  'cancelled',
  'lost',
  'refused',
] as const
export const ending = z.enum(endings)
export type Ending = z.infer<typeof ending>

/** States from which each verb is allowed: the hub refuses with it, pages and commands grey out with it. */
export const taskActions = {
  cancel: ['draft', 'queued', 'waiting', 'assigned', 'running', 'verifying', 'review'],
  retry: ['dead', 'cancelled'],
  delete: ['dead', 'cancelled'],
  push: ['queued'],
} as const satisfies Record<string, readonly TaskState[]>
export type TaskAction = keyof typeof taskActions

export function taskMay(action: TaskAction, state: TaskState): boolean {
  return (taskActions[action] as readonly TaskState[]).includes(state)
}

export const terminalStates = ['done', 'dead', 'cancelled'] as const satisfies readonly TaskState[]

export function isTerminal(state: TaskState): boolean {
  return (terminalStates as readonly TaskState[]).includes(state)
}

/** Priority lanes in the order in which they are served (QUEUE-02); the index is what the queue stores. */
export const lanes = ['urgent', 'high', 'normal', 'low'] as const
export const lane = z.enum(lanes)
export type Lane = z.infer<typeof lane>

export const tiers = ['trivial', 'standard', 'complex'] as const
export const tier = z.enum(tiers)
export type Tier = z.infer<typeof tier>

export const wallKinds = ['namespace', 'container', 'microvm'] as const
export const wallKind = z.enum(wallKinds)
export type WallKind = z.infer<typeof wallKind>

/** What drives a run inside its wall. */
export const executors = ['shell', 'loop'] as const
export type Executor = (typeof executors)[number]

/** What a run is doing, as its worker reports it. */
export const runPhases = ['preparing', 'running', 'carrying_out', 'verifying', 'publishing'] as const
export const runPhase = z.enum(runPhases)
export type RunPhase = z.infer<typeof runPhase>
