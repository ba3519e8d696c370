import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { followLive } from '@muster/sdk/live'
import { check, type Violation } from './check/checker.ts'
import { readCursors, readStory } from './check/story.ts'
import { instant } from './clock.ts'
import { openHistory } from './load/history.ts'
import { startLoad } from './load/load.ts'
import { createRandom } from './random.ts'
import { createReader, type Reader } from './rig/reader.ts'
import { openBalancer, startRig, type Rig } from './rig/rig.ts'
import { drain, outsideOf } from './settle.ts'
import { runOf, spread } from './summary.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    notify: { type: 'string', default: 'on' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
export type HubsSummary = Awaited<ReturnType<typeof runOf>> & {
  kills: number
  tasks: number
  runs: number
  followers: number
  /** Of each follower: what it saw, and how often its connection broke. */
  events: number[]
  reconnects: number[]
  recovery: ReturnType<typeof spread>
  violations: Violation[]
}

const prefix = 'two-hubs-'
const followers = 4
const doneWithinMs = 30_000

/** Two hubs, four workers, steady load; one hub after the other is killed and started again. */
async function main(): Promise<number> {
  const seed = Number(values.seed)
  const results = join(import.meta.dirname, 'results', `two-hubs-${seed}`)
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
  const notify = values.notify === 'off' ? 'off' : 'on'
  const rig = await startRig({ hubs: 2, workers: ['w1', 'w2', 'w3', 'w4'], logDir: results, notify })
  const reader = createReader(rig.database)
  const history = openHistory(join(results, 'history.jsonl'))
  const random = createRandom(seed)
  try {
    const clients = await Promise.all(Array.from({ length: followers }, (_, at) => follow(rig, at)))
    const urls = () => rig.hubs.map((hub) => hub.url)
    const load = startLoad({ urls, token: rig.token, random, history, prefix, burst: 10 })
    const recoveryMs: number[] = []
    const violations: Violation[] = []
    for (let kill = 1; kill <= Number(values.kills); kill++) {
      await sleep(random.between(100, 900))
      const hub = random.pick(rig.hubs)
      const at = instant()
      await hub.part()?.kill()
      const next = await reader.firstDone(at, doneWithinMs)
      if (next !== undefined) recoveryMs.push(Math.round(next - at))
      else violations.push({ invariant: 'stuck', what: `no task was done after kill ${kill}` })
      await sleep(random.pick([0, 0, 1_500]))
      await hub.start()
      process.stdout.write(
        `${String(kill).padStart(5)}  ${hub.name} killed: next done after ${recoveryMs.at(-1)} ms\n`,
      )
    }
    await load.stop(doneWithinMs)
    violations.push(...(await drain(reader, prefix, instant())))
    const story = await reader.ask((client) => readStory(client, prefix))
    violations.push(...check(story, outsideOf(rig, story, history.take())))
    violations.push(...rig.accidents().map((what) => ({ invariant: 'R-7', what })))
    for (const client of clients) violations.push(...(await client.compare(reader)))
    const kills = Number(values.kills)
    const summary: HubsSummary = {
      ...(await runOf(seed)),
      kills,
      tasks: story.tasks.length,
      runs: story.runs.length,
      followers,
      events: clients.map((client) => client.seen()),
      reconnects: clients.map((client) => client.reconnects()),
      recovery: spread(recoveryMs),
      violations,
    }
    writeFileSync(join(results, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    process.stdout.write(`${JSON.stringify({ ...summary, violations: violations.slice(0, 10) }, null, 2)}\n`)
    return violations.length === 0 ? 0 : 1
  } finally {
    await reader.close()
    await rig.close()
  }
}

/** A page or a command that watches, by the real client; it notes each event that it is shown. */
async function follow(rig: Rig, at: number) {
  const balancer = await openBalancer({ host: '127.0.0.1', hubs: rig.hubs, first: at % rig.hubs.length })
  const cursors: string[] = []
  const start = Promise.withResolvers<string>()
  let opened = 0
  const stop = followLive({
    origin: `http://127.0.0.1:${balancer.port}`,
    token: rig.token,
    onState: (state) => (opened += state === 'open' ? 1 : 0),
    onMessage: (message) => {
      if (message.type === 'caught_up') start.resolve(message.cursor)
      if (message.type === 'event') cursors.push(message.event.cursor)
    },
  })
  const from = await start.promise
  return {
    seen: () => cursors.length,
    reconnects: () => opened - 1,
    /** What it was shown must be what is stored, each once and in order. */
    async compare(reader: Reader): Promise<Violation[]> {
      const stored = await reader.ask((client) => readCursors(client, from))
      for (let waited = 0; waited < 20_000 && cursors.length < stored.length; waited += 50) await sleep(50)
      stop()
      balancer.close()
      const wrong = stored.findIndex((cursor, index) => cursors[index] !== cursor)
      if (wrong === -1 && cursors.length >= stored.length) return []
      const what = `a follower saw ${cursors.length} of ${stored.length} events; the first that differs is ${wrong}`
      return [{ invariant: 'live', what }]
    },
  }
}

process.exit(await main())
