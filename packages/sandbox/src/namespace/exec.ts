import type { ExecOptions, ExecResult, LiveExec, LiveOptions } from '../sandbox.ts'
import { collectOutput } from './output.ts'
import { startInWall, type Bubble } from './start.ts'

/** Runs one command in one bubblewrap and returns when nothing of it is left. */
export async function execInWall(bubble: Bubble, options: ExecOptions): Promise<ExecResult> {
  const stdout = collect('stdout', options)
  const stderr = collect('stderr', options)
  const { ended } = await startInWall(bubble, {
    input: options.stdin,
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    onStdout: stdout.write,
    onStderr: stderr.write,
    said: () => stderr.end().text,
  })
  const ending = await ended
  const [out, err] = [stdout.end(), stderr.end()]
  return {
    ...ending,
    stdout: out.text,
    stderr: err.text,
    droppedBytes: out.droppedBytes + err.droppedBytes,
  }
}

/** As `execInWall`, for a command that is written to while it runs. */
export async function liveInWall(bubble: Bubble, options: LiveOptions): Promise<LiveExec> {
  const stderr = collectOutput(options.maxErrorBytes)
  const { stdin, begun, ended, stop } = await startInWall(bubble, {
    input: 'live',
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    onStdout: options.onOutput,
    onStderr: stderr.write,
    said: () => stderr.end().text,
  })
  const result = ended.then((ending) => {
    const { text, droppedBytes } = stderr.end()
    return { ...ending, stdout: '', stderr: text, droppedBytes }
  })
  // It reads no more; its end says so.
  stdin?.on('error', () => undefined)
  // A wall that fails before the command begins rejects here; one that ends for another reason has an end to be told.
  await Promise.race([begun, result])
  return {
    write: (input) =>
      new Promise((resolve) => {
        if (stdin === null || !stdin.writable) resolve(false)
        else stdin.write(input, (error) => resolve(error === null || error === undefined))
      }),
    closeInput: () => void stdin?.end(),
    ended: result,
    stop() {
      stop()
      return result
    },
  }
}

function collect(stream: 'stdout' | 'stderr', { maxOutputBytes, onOutput }: ExecOptions) {
  return collectOutput(maxOutputBytes, onOutput && ((text) => onOutput({ stream, text })))
}
