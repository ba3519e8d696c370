import type { ToolCall, ToolSpec } from '@muster/llm/model'

/**
 * The tools of a run. Whatever a tool does, it does inside the wall; whatever happens, it answers with an observation:
 * a refusal, a failed command and a tool program that was killed are observations too. It rejects only for the caller's own
 * signal, and with `ToolsUnavailable` (or the wall's SandboxError) when there will be no tools any more: that ends the run.
 */
export type Toolbox = {
  readonly specs: ToolSpec[]
  run(call: ToolCall, options: { signal: AbortSignal }): Promise<Observation>
}

/** Typed JSON, never free text (TOOL-05). What else is in it depends on the tool. */
export type Observation = {
  success: boolean
  /** With `success: false`: a stable code such as `PATH_OUTSIDE_WORKSPACE`. */
  code?: string
  /** With `success: false`: what was wrong, in words that let a model do it right the next time. */
  error?: string
  /** The workspace may be different now, so that a checkpoint is worth making. Not shown to the model. */
  changed?: boolean
  [field: string]: unknown
}
