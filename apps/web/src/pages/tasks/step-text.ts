import type { Step } from '@muster/contract/loop'

type Shown = Pick<Step, 'kind' | 'model' | 'tool' | 'args' | 'text' | 'result'>

/** Who did it: the model by its name, or the tool by its own. */
export function stepWho({ kind, model, tool }: Shown): string {
  if (kind === 'verify') return 'checks'
  return (kind === 'model' ? model : tool) ?? 'somebody'
}

/** What it did, in its own words; a model that only called tools said nothing. */
export function stepText({ kind, args, text, result }: Shown): string {
  if (kind === 'tool') return args
  return text === '' ? result : text
}
