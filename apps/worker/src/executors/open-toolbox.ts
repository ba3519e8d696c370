import { createToolbox } from '@muster/agent/tools/toolbox'
import { ToolsUnavailable } from '@muster/agent/tools/tools-unavailable'
import type { Sandbox } from '@muster/sandbox/sandbox'
import { unstage } from '../leftover.ts'
import { CannotRun } from '../prepare.ts'
import type { ExecutorStage } from './executor.ts'

/** A wall without Node has no tools, and another worker's may: the run is given back. */
export async function openToolbox(wall: Sandbox, stage: ExecutorStage) {
  try {
    return await createToolbox({ wall, lifeMs: Math.max(1_000, stage.left()) })
  } catch (error) {
    if (error instanceof ToolsUnavailable) throw new CannotRun(error.code, error.message)
    throw error
  }
}

/** Makes a workspace that was put back look as it did when its last step ended. */
export async function unstageIn(wall: Sandbox, { signal }: ExecutorStage): Promise<void> {
  const done = await wall.exec(['/bin/sh', '-c', unstage], {
    timeoutMs: 60_000,
    maxOutputBytes: 4_096,
    signal,
  })
  if (done.code !== 0)
    throw new CannotRun(
      'checkpoint_unusable',
      `The files of the last step could not be put back: ${done.stdout}`,
    )
}
