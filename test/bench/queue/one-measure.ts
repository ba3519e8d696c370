import { engines } from './engines.ts'
import { measureLatency, measureRates, measureSize, type Sizes, type Values } from './measure.ts'
import { measureRowSecurity } from './row-security.ts'
import { measureSustained, type Point } from './sustained.ts'
import { profile, type Profile } from './profile.ts'

/** One queue, one measurement, one process: what a peer leaves behind, or how it ends, is nobody else's affair. */
export type Asked = {
  engine: string
  url: string
  postmaster: number
  sizes: Sizes
  what:
    | { kind: 'rates' }
    | { kind: 'latency' }
    | { kind: 'profile' }
    | { kind: 'row security' }
    | { kind: 'sustained'; tasks: number; every: number }
    | { kind: 'history' | 'backlog'; rows: number }
}
export type Answered = { values: Values; profile?: Profile[]; points?: Point[] }

async function measure({ engine: name, url, postmaster, sizes, what }: Asked): Promise<Answered> {
  const open = engines[name]
  if (open === undefined) throw new Error(`no queue is called ${name}`)
  const engine = await open(url)
  try {
    if (what.kind === 'profile') return { values: {}, profile: await profile(engine, url, sizes) }
    if (what.kind === 'row security') {
      await engine.seedHistory(20_000)
      return { values: await measureRowSecurity(url) }
    }
    if (what.kind === 'sustained') return await measureSustained(engine, what)
    if (what.kind === 'rates') return { values: await measureRates(engine, sizes, postmaster) }
    if (what.kind === 'latency') return { values: await measureLatency(engine, sizes) }
    return { values: await measureSize(engine, sizes, what.kind, what.rows) }
  } finally {
    await engine.close()
  }
}

process.once('message', (asked: Asked) => {
  measure(asked).then(
    // A peer may leave a timer behind.
    (answer) => process.send?.(answer, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
// The one that asks is gone.
process.once('disconnect', () => process.exit(1))
