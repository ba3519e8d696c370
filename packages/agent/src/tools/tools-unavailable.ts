/** The tools of a run cannot be had, or not any more: an error of the run and nothing that a model could mend. */
export class ToolsUnavailable extends Error {
  readonly code = 'tool_server_unavailable'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'ToolsUnavailable'
    this.hint = hint
  }
}
