import { instant } from '../clock.ts'
import { leaseMs } from '../settings.ts'
import type { Fault } from './fault.ts'

/** kill -9, and SIGSTOP until after the lease. Whoever was killed is started again, as `muster up` would. */
export const processFaults: Fault[] = [
  {
    name: 'hub killed',
    strike({ hub, random }) {
      const at = instant()
      const gone = hub.part()?.kill()
      return {
        at,
        holdMs: random.pick([0, 0, 300]),
        countsFrom: 'strike',
        heal: async () => {
          await gone
          await hub.start()
        },
      }
    },
  },
  {
    name: 'worker killed',
    strike({ worker, random }) {
      const at = instant()
      const gone = worker.part()?.kill()
      return {
        at,
        victims: [worker.name],
        // At once it says itself that it lost its runs; after the lease the hub has to find out.
        holdMs: random.pick([100, 300, leaseMs + 1_200]),
        heal: async () => {
          await gone
          await worker.start()
        },
      }
    },
  },
  {
    name: 'hub frozen past the lease',
    strike({ hub, random }) {
      const at = instant()
      hub.part()?.freeze()
      return { at, holdMs: leaseMs + random.between(300, 1_200), heal: () => hub.part()?.thaw() }
    },
  },
  {
    name: 'worker frozen past the lease',
    strike({ worker, random }) {
      const at = instant()
      worker.part()?.freeze()
      return {
        at,
        victims: [worker.name],
        holdMs: leaseMs + random.between(1_000, 1_800),
        heal: () => worker.part()?.thaw(),
      }
    },
  },
]
