import type { Ended } from '@muster/sandbox/sandbox'
import { checkEnvironment } from './run-check.ts'
import type { InWall } from './overlay.ts'

/** What was seen of one run of a test command. */
export type ControlRun = {
  ended: Ended
  code: number | null
  signs: ReadonlySet<string>
  /** Assertions that let through what they have to refuse. */
  toothless: ReadonlySet<string>
}

const signPattern = /muster-(control|toothless)-([A-Za-z0-9.]+)/g
/** Longer than any sign: what is kept of a piece, so that a sign which came in two pieces is seen. */
const overlap = 200

/** Everything the command prints is looked through, and nothing of it is kept: a suite may print more than a report holds. */
export async function runForSigns(input: InWall, command: string, timeoutMs: number): Promise<ControlRun> {
  const found = { control: new Set<string>(), toothless: new Set<string>() }
  let rest = ''
  const decoder = new TextDecoder()
  const live = await input.wall.start(['/bin/sh', '-c', 'exec /bin/sh -c "$1" 2>&1', 'control', command], {
    cwd: '/workspace',
    env: checkEnvironment,
    timeoutMs,
    maxErrorBytes: 1_000,
    onOutput: (bytes) => {
      const text = rest + decoder.decode(bytes, { stream: true })
      for (const [whole, what, value = ''] of text.matchAll(signPattern)) {
        // One that touches the end may go on in the next piece.
        if (text.endsWith(whole)) continue
        found[what === 'control' ? 'control' : 'toothless'].add(value)
      }
      rest = text.slice(-overlap)
    },
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  })
  live.closeInput()
  const { ended, code } = await live.ended
  for (const [, what, value = ''] of rest.matchAll(signPattern))
    found[what === 'control' ? 'control' : 'toothless'].add(value)
  return { ended, code, signs: found.control, toothless: found.toothless }
}
