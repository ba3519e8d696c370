import { execFile } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

/** One way out of a wall. `theirs` is the child's end and is closed here once the child has it. */
export type Pipe = { ours: Socket; theirs: number; giveBack(): void }

export type Pipes = {
  /** Two that nothing else holds. `prefix` is a path that no other command uses, for the names they have while they are made. */
  takeTwo(prefix: string): Promise<[Pipe, Pipe]>
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
/** Node does not name it. Such a descriptor keeps the pipe from vanishing and is neither a reader nor a writer. */
const O_PATH = 0o10000000
/** The wall's user, who does not own it, may open its end anew by /dev/stdout. */
const mode = 0o622

/**
 * Named pipes without names: made by `mkfifo`, which is a program to start, opened, removed, and then used again by one
 * command after the other. While nobody has a pipe open the kernel keeps nothing of what went through it.
 *
 * What Node's spawn gives a child are sockets, and those cannot be opened by name: `echo > /dev/stderr` would fail.
 * Nor would anonymous pipes do, because they belong to us and the wall's user may not open them; hence the mode.
 */
export function createPipes(mkfifo: string): Pipes {
  const free: number[] = []

  async function make(prefix: string): Promise<void> {
    const paths = [`${prefix}.stdout`, `${prefix}.stderr`]
    try {
      await promisify(execFile)(mkfifo, ['-m', `0${mode.toString(8)}`, ...paths], { env: {} })
      free.push(...paths.map((path) => openSync(path, O_PATH)))
    } finally {
      await Promise.all(paths.map((path) => rm(path, { force: true })))
    }
  }

  /** Where we are not root the wall's processes are our own user's, and may have changed the mode of what they had open. */
  function giveBack(held: number): void {
    if ((fstatSync(held).mode & 0o7777) === mode) free.push(held)
    else closeSync(held)
  }

  return {
    async takeTwo(prefix) {
      while (free.length < 2) await make(prefix)
      const [one, two] = free.splice(0, 2) as [number, number]
      return [open(one, () => giveBack(one)), open(two, () => giveBack(two))]
    },
  }
}

/** Opening one end of a named pipe waits for the other: the order, and O_NONBLOCK on our end only, avoid that. */
function open(held: number, giveBack: () => void): Pipe {
  const path = `/proc/self/fd/${held}`
  const ours = openSync(path, O_RDONLY | O_NONBLOCK)
  const socket = new Socket({ fd: ours, readable: true, writable: false })
  return { ours: socket, theirs: openSync(path, O_WRONLY), giveBack }
}
