import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Pipes } from './pipes.ts'

/** What a command reads: these bytes, nothing, or what is written while it runs. */
export type Input = string | Uint8Array | undefined | 'live'

export type Streams = {
  stdout: Socket
  stderr: Socket
  /** For the child; closed here by `handedOver`, or the end of its output would never be seen. */
  childFds: [stdin: number | 'pipe', stdout: number, stderr: number]
  handedOver(): void
  /** Both were read to their end. */
  closed: Promise<unknown>
  /** Only when nothing of the command is left: a later command gets the same pipes, once our ends are closed. */
  giveBack(): void
}

/** Input is a file without a name: opening a pipe, as `cat /dev/stdin` does, waits for ever when its writer has finished. */
export async function openStreams(pipes: Pipes, prefix: string, input: Input): Promise<Streams> {
  const stdin = input === 'live' ? 'pipe' : await openInput(`${prefix}.stdin`, input)
  const [stdout, stderr] = await pipes.takeTwo(prefix).catch((error: unknown) => {
    if (stdin !== 'pipe') closeSync(stdin)
    throw error
  })
  const childFds: Streams['childFds'] = [stdin, stdout.theirs, stderr.theirs]
  const closed = Promise.all([stdout, stderr].map(({ ours }) => once(ours, 'close')))
  return {
    stdout: stdout.ours,
    stderr: stderr.ours,
    childFds,
    handedOver: () => childFds.forEach((fd) => fd !== 'pipe' && closeSync(fd)),
    closed,
    giveBack: () =>
      void closed.then(
        () => [stdout, stderr].forEach((pipe) => pipe.giveBack()),
        () => undefined,
      ),
  }
}

async function openInput(path: string, input: string | Uint8Array | undefined): Promise<number> {
  if (input === undefined) return openSync('/dev/null', constants.O_RDONLY)
  try {
    await writeFile(path, input, { mode: 0o444 })
    return openSync(path, constants.O_RDONLY)
  } finally {
    await rm(path, { force: true })
  }
}
