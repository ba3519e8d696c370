import { ifPresent } from '@muster/postgres/missing-file'
import { stat } from 'node:fs/promises'
import type { Config } from '../config.ts'
import type { Output } from '../output.ts'
import { checkout } from './checkout.ts'
import { runQuietly } from './programs.ts'

/** Builds the pages where they are older than their sources. Without them the hub still serves everything else. */
export async function buildPages(tools: {
  config: Config
  output: Output
  signal: AbortSignal
}): Promise<void> {
  if (tools.signal.aborted) return
  if ((await ifPresent(stat(checkout.webBuild))) === undefined) {
    tools.output.note('This checkout has no pages; going on without.')
    return
  }
  if ((await ifPresent(stat(checkout.webDist))) === undefined) tools.output.note('Building the pages …')
  const { code, lastLines } = await runQuietly(process.execPath, [checkout.webBuild], tools)
  if (code !== 0 && !tools.signal.aborted) {
    tools.output.note(
      `The pages could not be built; going on with those that are there, if any:\n${lastLines}`,
    )
  }
}
