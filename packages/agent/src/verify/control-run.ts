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

/** A program may print as many names as it likes; one is enough. */
const mostToothless = 10
const longestName = 60

type Looking = { signs: ReadonlySet<string>; timeoutMs: number }

/**
 * Everything the command prints is looked through for these signs, and nothing else of it is kept: a suite may print more
 * than a report holds, and a hostile one more than the worker has memory for.
 */
export async function runForSigns(
  input: InWall,
  command: string,
  { signs, timeoutMs }: Looking,
): Promise<ControlRun> {
  const found = { control: new Set<string>(), toothless: new Set<string>() }
  const take = (what: string | undefined, value: string) => {
    if (what === 'control' && signs.has(value)) found.control.add(value)
    if (what === 'toothless' && found.toothless.size < mostToothless)
      found.toothless.add(value.slice(0, longestName))
  }
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
        take(what, value)
      }
      rest = text.slice(-overlap)
    },
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  })
  live.closeInput()
  const { ended, code } = await live.ended
  for (const [, what, value = ''] of rest.matchAll(signPattern)) take(what, value)
  return { ended, code, signs: found.control, toothless: found.toothless }
}
