import type { Sandbox } from '@muster/sandbox/sandbox'
import { endOfCommand } from '../endings.ts'
import type { OutputStream } from '../output-stream.ts'
import { keptBytes } from '../output-stream.ts'
import type { Executor } from './executor.ts'

/** Runs the task's command with `sh -c` at the root of the checkout. No model, no tokens, no second thought. */
export function createShell(options: {
  command: string
  output: OutputStream
  deadlineMs: number
}): Executor {
  const { command, output, deadlineMs } = options
  return {
    async work(wall: Sandbox, { left, signal }) {
      output.say(`$ ${command}`)
      const done = await wall.exec(['/bin/sh', '-c', command], {
        env: { CI: 'true' },
        timeoutMs: Math.max(1, Math.round(left())),
        maxOutputBytes: keptBytes,
        onOutput: output.write,
        signal,
      })
      output.leftOut(done.droppedBytes)
      const end = endOfCommand(done, deadlineMs)
      if (end?.ending === 'cancelled') throw new Error('the run was stopped')
      output.say(end === null ? 'The command exited with 0' : end.reason)
      return { exitCode: done.code, end }
    },
    tryAgain: () => Promise.resolve(false),
  }
}
