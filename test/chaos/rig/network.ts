import { execFileSync } from 'node:child_process'

export type Network = ReturnType<typeof layNetwork>
type Side = 'to hub' | 'to worker'

/** Why this machine cannot have networks of its own; undefined when it can. */
export function whyNoNetwork(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    ip('netns', 'list')
    return undefined
  } catch {
    return 'the program "ip" (iproute2) is missing'
  }
}

/**
 * Each worker in a network namespace of its own, all behind a router in another, the hub's side here. A route of the
 * router that leads nowhere is a partition as a broken cable makes it: silent, in one direction or both, connections
 * stay open and go on when it heals. Addresses and names hold the driver's pid, so two rigs can run beside each other.
 */
export function layNetwork(workers: readonly string[]) {
  const id = process.pid
  const net = `10.213.${id % 250}`
  const router = `mc${id}r`
  const hubAddress = (at: number) => `${net}.${1 + at}`
  const workerAddress = (at: number) => `${net}.${16 + 4 * at + 2}`
  const cut = new Set<string>()

  ip('netns', 'add', router)
  ip('link', 'add', `mc${id}h`, 'type', 'veth', 'peer', 'name', 'hub', 'netns', router)
  for (const at of workers.keys()) ip('addr', 'add', `${hubAddress(at)}/28`, 'dev', `mc${id}h`)
  ip('link', 'set', `mc${id}h`, 'up')
  ip('-n', router, 'addr', 'add', `${net}.14/28`, 'dev', 'hub')
  ip('-n', router, 'link', 'set', 'hub', 'up')
  ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
  ip('route', 'add', `${net}.16/28`, 'via', `${net}.14`)
  for (const [at, name] of workers.entries()) {
    const space = spaceOf(name)
    ip('netns', 'add', space)
    ip('-n', router, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'net0', 'netns', space)
    ip('-n', router, 'addr', 'add', `${net}.${16 + 4 * at + 1}/30`, 'dev', name)
    ip('-n', router, 'link', 'set', name, 'up')
    ip('-n', space, 'addr', 'add', `${workerAddress(at)}/30`, 'dev', 'net0')
    ip('-n', space, 'link', 'set', 'net0', 'up')
    ip('-n', space, 'link', 'set', 'lo', 'up')
    ip('-n', space, 'route', 'add', 'default', 'via', `${net}.${16 + 4 * at + 1}`)
  }
  function spaceOf(name: string): string {
    return `mc${id}${name}`
  }
  const destination = (worker: string, side: Side) => {
    const at = workers.indexOf(worker)
    return `${side === 'to hub' ? hubAddress(at) : workerAddress(at)}/32`
  }

  const leads = (to: string) => {
    try {
      ip('-n', router, 'route', 'get', to.replace('/32', ''))
      return true
    } catch {
      return false
    }
  }

  return {
    /** Where the worker finds its hub. */
    hubAddressOf: (worker: string) => hubAddress(workers.indexOf(worker)),
    /** What a process is started with to be in the worker's network. */
    prefixOf: (worker: string) => ['ip', 'netns', 'exec', spaceOf(worker)],
    /** In effect when this returns. */
    cut(worker: string, sides: readonly Side[]) {
      for (const side of sides) {
        const to = destination(worker, side)
        if (cut.has(to)) continue
        ip('-n', router, 'route', 'add', 'blackhole', to)
        if (leads(to)) throw new Error(`the router still knows a way to ${to}`)
        cut.add(to)
      }
    },
    heal() {
      for (const to of cut) ip('-n', router, 'route', 'del', 'blackhole', to)
      cut.clear()
    },
    remove() {
      for (const space of [router, ...workers.map(spaceOf)]) ip('netns', 'del', space)
    },
  }
}

/** Namespaces of drivers that were killed; their links go with them. */
export function removeDeadNetworks(isAlive: (pid: number) => boolean): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [, name = '', pid] = /^(mc(\d+)(?:r|w\d+))\b/.exec(line) ?? []
    if (pid !== undefined && !isAlive(Number(pid))) ip('netns', 'del', name)
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
