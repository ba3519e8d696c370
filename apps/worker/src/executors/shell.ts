import type { ExecResult, Sandbox } from '@muster/sandbox/sandbox'
import type { OutputStream } from '../output-stream.ts'
import { keptBytes } from '../output-stream.ts'

/** Runs the task's command with `sh -c` at the root of the checkout. No model, no tokens. */
export async function runShell(
  wall: Sandbox,
  command: string,
  options: { output: OutputStream; timeoutMs: number; signal: AbortSignal },
): Promise<ExecResult> {
  options.output.say(`$ ${command}`)
  const done = await wall.exec(['/bin/sh', '-c', command], {
    env: { CI: 'true' },
    timeoutMs: Math.max(1, Math.round(options.timeoutMs)),
    maxOutputBytes: keptBytes,
    onOutput: options.output.write,
    signal: options.signal,
  })
  options.output.leftOut(done.droppedBytes)
  return done
}
