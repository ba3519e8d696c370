import { neutraliseLine } from '../terminal-text.ts'

type Shown = {
  kind: string
  tool: string | null
  args: string
  result: string
  text?: string
  success: boolean
}

/** What a step did, in one line: what a model or a tool wrote is hostile to a terminal. */
export function stepLine({ kind, tool, args, result, text = '' }: Shown): string {
  if (kind === 'tool') return neutraliseLine(`${tool ?? ''} ${args} → ${result}`)
  return neutraliseLine(text === '' ? result : text)
}
