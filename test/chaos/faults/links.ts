import { instant } from '../clock.ts'
import { leaseMs } from '../settings.ts'
import type { Fault, Scene } from './fault.ts'

/** What the fault proxy does to one of the two links. */
function linkFaults(link: string, of: (scene: Scene) => Link): Fault[] {
  const fault = (name: string, strike: (link: Link, scene: Scene) => Omit<Until, 'at'>): Fault => ({
    name: `${link}: ${name}`,
    strike(scene) {
      const it = of(scene)
      const at = instant()
      const before = it.proxy.touched()
      const wasFelt = () => it.proxy.touched() > before
      return {
        at,
        wasFelt,
        ...(it.victims === undefined ? {} : { victims: it.victims }),
        ...strike(it, scene),
      }
    },
  })
  return [
    fault('reset', ({ proxy }, { random }) => {
      proxy.refuse(true)
      proxy.reset()
      return { holdMs: random.pick([0, 400]), heal: () => proxy.refuse(false) }
    }),
    fault('half-open', ({ proxy }, { random }) => ({
      heal: proxy.swallow(),
      holdMs: random.pick([400, leaseMs + 800]),
    })),
    fault('slower than a renewal', ({ proxy, latency }, { random }) => {
      proxy.setLatency(random.between(500, latency), random.between(500, latency))
      return { holdMs: random.between(800, 2_500), heal: () => proxy.setLatency(0, 0) }
    }),
    fault('cut in the middle of a message', ({ proxy }, { random }) => {
      const bytes = random.between(20, 4_000)
      proxy.cutAfter({ way: random.pick(['up', 'down']), bytes, how: 'end' })
      return { holdMs: random.between(300, 1_200), heal: () => proxy.cutAfter(undefined) }
    }),
    fault('reset after some bytes', ({ proxy }, { random }) => {
      const bytes = random.between(20, 4_000)
      proxy.cutAfter({ way: random.pick(['up', 'down']), bytes, how: 'reset' })
      return { holdMs: random.between(300, 1_200), heal: () => proxy.cutAfter(undefined) }
    }),
  ]
}

type Until = { at: number; holdMs: number; heal(): void }
type Link = { proxy: Scene['worker']['toHub']; latency: number; victims?: string[] }

export const allLinkFaults: Fault[] = [
  ...linkFaults('worker to hub', ({ worker }) => ({
    proxy: worker.toHub,
    latency: 1_500,
    victims: [worker.name],
  })),
  ...linkFaults('hub to database', ({ hub }) => ({ proxy: hub.toDatabase, latency: 700 })),
]
