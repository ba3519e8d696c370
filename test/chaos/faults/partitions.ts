import { instant } from '../clock.ts'
import { leaseMs } from '../settings.ts'
import { whyNoNetwork, type Network } from '../rig/network.ts'
import type { Rig } from '../rig/rig.ts'
import type { Fault } from './fault.ts'

type Sides = readonly ('to hub' | 'to worker')[]
const both: Sides = ['to hub', 'to worker']

function partition(name: string, sides: Sides): Fault {
  return {
    name,
    lacks: whyNoNetwork,
    strike({ rig, worker, random }) {
      const network = networkOf(rig)
      network.cut(worker.name, sides)
      // From here on: what the worker had in a phase before the route was gone may have left it.
      const at = instant()
      // The longest lets the hub give the connection up, which takes it three pings of 5 s.
      const holdMs = random.chance(0.05) ? 16_500 : random.pick([700, leaseMs + 1_300])
      return { at, victims: [worker.name], holdMs, heal: () => network.heal() }
    },
  }
}

export const partitionFaults: Fault[] = [
  partition('partition', both),
  partition('partition, to the hub only', ['to hub']),
  partition('partition, to the worker only', ['to worker']),
  {
    name: 'partition that flaps',
    lacks: whyNoNetwork,
    strike({ rig, worker, random }) {
      const network = networkOf(rig)
      network.cut(worker.name, both)
      const at = instant()
      let isCut = true
      const everyMs = random.between(200, 700)
      const flapping = setInterval(() => {
        if (isCut) network.heal()
        else network.cut(worker.name, both)
        isCut = !isCut
      }, everyMs)
      const heal = () => {
        clearInterval(flapping)
        network.heal()
      }
      return { at, victims: [worker.name], holdMs: leaseMs + random.between(0, 1_000), heal }
    },
  },
]

function networkOf({ network }: Rig): Network {
  if (network === undefined) throw new Error('there is no network to cut')
  return network
}
