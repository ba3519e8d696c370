import type { Assignment, WorkerMessage } from '@muster/contract/wire'
import { diskOf, whyNoRoom } from '@muster/worker/disk-room'
import { createHubLink, type HubLink } from '@muster/worker/hub-link'
import { openJournal } from '@muster/worker/journal'
import { createLog } from '@muster/worker/log'
import { instanceOf, openPlaces } from '@muster/worker/places'
import type { Runner } from '@muster/worker/runner'
import { createWorker } from '@muster/worker/worker'
import { instant } from '../clock.ts'
import { branchesIn } from './branches.ts'
import { effectsOf } from './effects.ts'
import { createStandIn } from './stand-in.ts'

/** What a worker of the rig is started with, as JSON in its only argument. */
export type WorkerStart = {
  name: string
  hub: string
  token: string
  dataDir: string
  slots: number
  effectsFile: string
  branchesDir: string
}

/** News for the driver: a run entered a phase, or nothing of it is left here. */
export type PhaseNews = { type: 'phase'; at: number; taskId: string; epoch: number; phase: string }

/** The real worker with stand-in work: link, journal, leases and delivery are the shipped ones. */
async function main(start: WorkerStart): Promise<void> {
  const log = createLog('info')
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  process.on('disconnect', () => process.exit(0))
  const places = await openPlaces(start.dataDir)
  const effects = effectsOf(start.effectsFile)
  const standIn = createStandIn({ worker: start.name, effects, branches: branchesIn(start.branchesDir) })
  let link: HubLink | undefined
  const worker = createWorker({
    link: () => watched(link as HubLink),
    journal: await openJournal(places.journal),
    runner: told(standIn),
    log,
    identity: {
      instance: await instanceOf(start.dataDir),
      version: '0',
      host: 'chaos',
      slots: start.slots,
      capabilities: [],
    },
    condition: () => ({ walls: [{ kind: 'namespace', ok: true, detail: 'a stand-in' }] }),
    room: async () => whyNoRoom(await diskOf(start.dataDir), false),
    wake: async () => null,
    recheckWalls: () => {},
    now: () => performance.now(),
  })
  await worker.recover()
  link = createHubLink({
    origin: start.hub,
    token: start.token,
    log,
    hello: worker.hello,
    onWelcome: (welcome) => {
      worker.onWelcome(welcome)
      process.send?.({ type: 'ready' })
    },
    onMessage: (message) => {
      if (message.type === 'restart') return
      if (message.type === 'assign') tell(message.assignment, 'assigned')
      worker.onMessage(message)
    },
    onFinal: (reason) => {
      log.fatal({ reason }, 'the hub refuses this worker')
      process.exit(4)
    },
  })
}

function tell({ taskId, epoch }: { taskId: string; epoch: number }, phase: string): void {
  process.send?.({ type: 'phase', at: instant(), taskId, epoch, phase } satisfies PhaseNews)
}

/** The link, with what passes it told to the driver: a phase begins when its message is sent, not when it is answered. */
function watched(link: HubLink): HubLink {
  const deliver: HubLink['deliver'] = async (message, signal) => {
    // It throws at once; told after "gone", it would stay for ever.
    if (signal.aborted) return link.deliver(message, signal)
    const run = message as Extract<WorkerMessage, { type: 'phase' | 'finish' }>
    if (run.type === 'phase') tell(run, run.phase)
    if (run.type !== 'finish') return link.deliver(message, signal)
    tell(run, 'completing')
    return link.deliver(message, signal).finally(() => tell(run, 'gone'))
  }
  return { ...link, deliver }
}

function told(runner: Runner): Runner {
  return {
    ...runner,
    withdraw: (assignment: Assignment) => runner.withdraw(assignment).finally(() => tell(assignment, 'gone')),
  }
}

await main(JSON.parse(process.argv[2] ?? '') as WorkerStart)
