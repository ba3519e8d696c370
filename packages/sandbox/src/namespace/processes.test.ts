import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { processesOfUid } from './processes.ts'

async function asleep(program: string, args: string[], uid?: number): Promise<ChildProcess> {
  const child = spawn(program, args, uid === undefined ? {} : { uid, gid: uid })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child
}

/** Of the range that walls take from, and so high that none has it. */
const nobody = 29_990

test.runIf(process.getuid?.() === 0)(
  'a user’s processes are found by any user they count as, and no others',
  async () => {
    expect(processesOfUid(nobody)).toEqual([])
    const plain = await asleep('sleep', ['60'], nobody)
    expect(processesOfUid(nobody)).toEqual([plain.pid])
    expect(processesOfUid(nobody + 1)).toEqual([])
    // Root's in all but the name: whoever looks at the owner of its directory in /proc does not see it.
    const real = await asleep('setpriv', [`--ruid=${nobody}`, 'sleep', '60'])
    await expect.poll(() => processesOfUid(nobody)).toEqual([plain.pid, real.pid])
    plain.kill('SIGKILL')
    await once(plain, 'exit')
    expect(processesOfUid(nobody)).toEqual([real.pid])
  },
)
