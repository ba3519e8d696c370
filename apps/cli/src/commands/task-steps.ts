import type { Step } from '@muster/contract/loop'
import type { Command } from '../context.ts'
import { formatDuration } from '../duration.ts'

import { neutraliseLine } from '../terminal-text.ts'
import { stepLine } from './step-line.ts'

export const listSteps: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const steps: Step[] = []
  let after: number | null = 0
  while (after !== null) {
    const found: { items: Step[]; nextAfter: number | null } = await hub.call('taskSteps', {
      params: { task: ref },
      query: { after, limit: 500 },
    })
    steps.push(...found.items)
    after = found.nextAfter
  }
  if (output.json) output.document({ items: steps })
  else if (steps.length === 0)
    output.note('No steps: a command runs without a model, and this task has none yet.')
  else {
    const rows = steps.map((step) => [
      String(step.seq),
      step.kind === 'model' ? neutraliseLine(step.model ?? '') : neutraliseLine(step.tool ?? ''),
      step.success ? 'ok' : neutraliseLine(step.code ?? 'failed'),
      step.usage === null ? '' : `${step.usage.inputTokens}+${step.usage.outputTokens}`,
      formatDuration(step.ms),
      stepLine(step),
    ])
    const columns = [
      { name: 'step' },
      { name: 'who' },
      { name: 'status' },
      { name: 'tokens', drop: 1 },
      { name: 'took', drop: 2 },
      { name: 'what', cut: true },
    ]
    output.table(columns, rows)
  }
  return 0
}
