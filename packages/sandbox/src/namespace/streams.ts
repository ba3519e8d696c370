import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

export type Streams = {
  stdout: Socket
  stderr: Socket
  /** For the child; closed here by `handedOver`, or the end of its output would never be seen. */
  childFds: [stdin: number, stdout: number, stderr: number]
  handedOver(): void
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants

/**
 * Named pipes, removed as soon as they are open. What Node's spawn gives a child are sockets, and those cannot be
 * opened by name: `echo > /dev/stderr` and `cat /dev/stdin` would fail. Nor would anonymous pipes do, because they
 * belong to us and the wall's user may not open them; hence the modes. Input is a file without a name: opening a pipe
 * whose writer has finished waits for ever.
 */
export async function openStreams(
  mkfifo: string,
  prefix: string,
  input: string | Uint8Array | undefined,
): Promise<Streams> {
  const [stdin, stdout, stderr] = [`${prefix}.stdin`, `${prefix}.stdout`, `${prefix}.stderr`]
  await promisify(execFile)(mkfifo, ['-m', '0622', stdout, stderr], { env: {} })
  if (input !== undefined) await writeFile(stdin, input, { mode: 0o444 })
  try {
    const out = openOutput(stdout)
    const err = openOutput(stderr)
    const childFds: Streams['childFds'] = [
      openSync(input === undefined ? '/dev/null' : stdin, O_RDONLY),
      out.theirs,
      err.theirs,
    ]
    return {
      stdout: out.ours,
      stderr: err.ours,
      childFds,
      handedOver: () => childFds.forEach((fd) => closeSync(fd)),
    }
  } finally {
    await Promise.all([stdin, stdout, stderr].map((path) => rm(path, { force: true })))
  }
}

/** Opening one end of a named pipe waits for the other: the order, and O_NONBLOCK on our end only, avoid that. */
function openOutput(path: string): { ours: Socket; theirs: number } {
  const ours = openSync(path, O_RDONLY | O_NONBLOCK)
  return { ours: new Socket({ fd: ours, readable: true, writable: false }), theirs: openSync(path, O_WRONLY) }
}
