import type { Blocked } from '@muster/contract/workers'
import { diskOf, whyNoRoom } from './disk-room.ts'
import type { Request } from './connection.ts'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'
import { createMemoryJudge } from './memory.ts'
import { createLook } from './ollama-report.ts'
import { watchResources } from './resources.ts'
import { detectSupervisor, readClues, reportOf, type Clues } from './supervisor.ts'

const lookEveryMs = 5_000
/** What changes by itself, memory above all, is told to the hub in every sixth look. */
const tellEvery = 6

/** How the worker itself does: who runs it, room on its disk, memory of its process; its machine, and the models there. */
export async function watchSelf(deps: {
  dataDir: string
  ceilingBytes: number
  ollamaUrl: string
  link: () => HubLink | undefined
  environment: Clues['env']
  onMemory: (reason: string) => void
  log: Log
}) {
  const { log } = deps
  const supervisor = detectSupervisor(readClues(deps.environment))
  const judge = createMemoryJudge(deps.ceilingBytes)
  let blocked: Blocked | null = null
  let looks = 0

  const resources = watchResources(deps.environment['PATH'] ?? '')
  // The hub asks the Ollama of its own machine itself, and the worker of `up` is on that.
  const ollama = createLook(supervisor.kind === 'up' ? null : deps.ollamaUrl)
  const say = (message: Request) =>
    void deps
      .link()
      ?.request(message)
      .catch((error: unknown) => log.debug({ err: error }, 'the hub did not take what was said'))

  const tellCondition = async () => {
    const now = await resources()
    say({ type: 'condition', supervisor: reportOf(supervisor), blocked, resources: now })
  }
  const tellModels = async () => {
    const report = await ollama()
    if (report !== null) say(report)
  }
  const unlessItFails = (work: Promise<void>) =>
    void work.catch((error: unknown) => log.warn({ err: error }, 'the machine could not be looked at'))
  const tell = () => {
    unlessItFails(tellCondition())
    unlessItFails(tellModels())
  }

  /** Looks now; for the moment before work is taken. */
  const look = async (): Promise<Blocked | null> => {
    const before = blocked
    blocked = whyNoRoom(await diskOf(deps.dataDir), before !== null)
    if (before?.code !== blocked?.code) {
      log.warn({ blocked }, blocked === null ? 'there is room on the disk again' : 'the disk is nearly full')
      unlessItFails(tellCondition())
    }
    return blocked
  }

  const weigh = () => {
    const bytes = process.memoryUsage.rss()
    const verdict = judge(bytes)
    if (verdict === 'fine') return
    const [mb, ceiling] = [bytes, deps.ceilingBytes].map((size) => Math.round(size / 1e6))
    const reason = `Its memory is ${mb} MB, the ceiling ${ceiling} MB.`
    log.warn(
      { memoryBytes: bytes, ceilingBytes: deps.ceilingBytes, verdict },
      'the memory ceiling is exceeded',
    )
    if (verdict === 'restart') deps.onMemory(reason)
  }

  await look()
  const timer = setInterval(() => {
    weigh()
    look().catch((error: unknown) => log.warn({ err: error }, 'the disk could not be looked at'))
    if (++looks % tellEvery === 0) tell()
  }, lookEveryMs)
  return {
    supervisor: supervisor.kind,
    condition: () => ({ supervisor: reportOf(supervisor), ...(blocked === null ? {} : { blocked }) }),
    look,
    /** Everything, to a hub that may know nothing of it. */
    tell,
    stop: () => clearInterval(timer),
  }
}
