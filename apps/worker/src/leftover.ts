import type { WorkspaceState } from '@muster/contract/loop'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkout, type CheckoutOptions } from './git/checkout.ts'
import { takeIn } from './git/take-in.ts'

/** The files of an earlier run's last step. */
export type Left = WorkspaceState

/**
 * Puts the files of a checkpoint into a fresh clone. The bundle was written by an agent, so it comes in as every result
 * does: its objects are checked beside the mirror before anything is made of them. The clone stands on the checkpoint's
 * own commit; `unstage` in the wall then makes it look as it did when the step ended.
 */
export async function putBack(
  options: Omit<CheckoutOptions, 'commit' | 'result'> & { left: Left; runId: string; dir: string },
): Promise<void> {
  const { left, runId, dir, ...at } = options
  const { base, commit } = left
  const { git, mirror, signal } = at
  const bundle = left.bundle === null ? null : join(dir, 'checkpoint.bundle')
  if (bundle !== null) await writeFile(bundle, Buffer.from(left.bundle ?? '', 'base64'), { mode: 0o600 })
  const taken = await takeIn({ git, mirror, bundle, runId: `${runId}-from`, commit, base, signal })
  await checkout({ ...at, commit, result: { base, packs: taken.packs } })
}

/**
 * For the first command in the wall: the checkpoint was committed on top of what the agent itself had committed, and its
 * files are no commit of the agent's.
 */
export const unstage =
  'git -c core.hooksPath=/dev/null -c core.fsmonitor=false reset --quiet --mixed HEAD~1 2>&1'
