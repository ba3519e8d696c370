import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from '@muster/contract/workers'
import type { Hub } from '../connection.ts'
import type { Context } from '../context.ts'
import { neutraliseLine } from '../terminal-text.ts'
import { foundModels, modelLines } from './models.ts'
import type { Places } from './places.ts'

const wallLimitMs = 15_000

/** The block that a person reads once Muster is up. The only thing on stdout. */
export async function announce(
  { output }: Pick<Context, 'output'>,
  hub: Hub,
  { places, signal }: { places: Places; signal: AbortSignal },
): Promise<void> {
  const [link, workers, models] = await Promise.all([
    hub.call('createSignInLink', { body: {} }),
    workersWithWalls(hub, signal),
    foundModels(hub, signal),
  ])
  if (output.json) {
    output.document({
      url: hub.origin,
      signInUrl: link.url,
      workers,
      models,
      data: places.data,
      logs: places.logs,
    })
    return
  }
  const say = (name: string, text: string) => output.line(`  ${output.paint('dim', name.padEnd(8))} ${text}`)
  output.line('')
  output.line(`Muster is at ${output.paint('bold', hub.origin)}`)
  output.line('')
  say('sign in', link.url)
  say('', `(works once; a new one: npx muster sign-in)`)
  for (const line of wallLines(workers)) say('wall', line)
  for (const line of modelLines(models)) say('models', line)
  say('data', places.data)
  say('logs', places.logs)
  say('stop', 'Ctrl-C, or: npx muster down')
  output.line('')
}

async function workersWithWalls(hub: Hub, signal: AbortSignal): Promise<Worker[]> {
  const deadline = Date.now() + wallLimitMs
  for (;;) {
    const { items } = await hub.call('listWorkers', {})
    if (items.some((worker) => worker.connected && worker.walls.length > 0)) return items
    if (Date.now() > deadline || signal.aborted) return items
    await sleep(150)
  }
}

function wallLines(workers: Worker[]): string[] {
  const walls = workers.filter((worker) => worker.connected).flatMap((worker) => worker.walls)
  const usable = walls.filter((wall) => wall.ok).map((wall) => `${wall.kind}: ${neutraliseLine(wall.detail)}`)
  if (usable.length > 0) return usable
  if (walls.length === 0) return ['no worker has reported yet; see: npx muster worker list']
  return walls.map((wall) => {
    const fix = wall.fix === undefined ? '' : ` Fix: ${neutraliseLine(wall.fix)}`
    return `${wall.kind} is not usable, so no task can run: ${neutraliseLine(wall.detail)}${fix}`
  })
}
