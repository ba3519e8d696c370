import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { taskSteps, type Step } from '@muster/contract/loop'
import type { Stack } from './stack.ts'

/** What the practice model does when it is asked once. */
export type Turn = {
  say?: string
  waitMs?: number
  fail?: string
  calls?: { tool: string; args: object }[]
}

export const run = (command: string): Turn => ({ calls: [{ tool: 'run_command', args: { command } }] })

/** Its path, for `--practice`. */
export async function writeScript(dir: string, turns: Turn[]): Promise<string> {
  const path = join(dir, `${Date.now()}-${Math.random().toString(36).slice(2)}.json`)
  await writeFile(path, JSON.stringify({ turns }))
  return path
}

export async function stepsOf(stack: Stack, id: string): Promise<Step[]> {
  return taskSteps.parse((await stack.api(`/tasks/${id}/steps`)).body).items
}
