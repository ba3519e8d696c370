import type { Command } from '../context.ts'
import type { OutputChunk } from '@muster/contract/runs'
import { createNeutraliser } from '../terminal-text.ts'

export const printLog: Command<{ raw?: boolean }, [string]> = async (
  { output, ...context },
  options,
  ref,
) => {
  const hub = await context.hub()
  const clean = options.raw === true ? (text: string) => text : createNeutraliser()
  const chunks: OutputChunk[] = []
  let after: number | null = 0
  while (after !== null) {
    const found: { items: OutputChunk[]; nextAfter: number | null } = await hub.call('taskLog', {
      params: { task: ref },
      query: { after, limit: 1_000 },
    })
    for (const chunk of found.items) {
      if (output.json) chunks.push(chunk)
      else output.data(clean(chunk.text))
    }
    after = found.nextAfter
  }
  if (output.json) output.document({ items: chunks })
  return 0
}
