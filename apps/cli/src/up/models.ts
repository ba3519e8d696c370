import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint, ModelList } from '@muster/contract/models'
import type { Hub } from '../connection.ts'
import { neutraliseLine } from '../terminal-text.ts'

// The hub asks all of them at once, for 5 s at most; who starts Muster should not wait for a silent one.
const askedWithinMs = 3_000

/** What the hub found, once it has asked every endpoint or that takes too long. */
export async function foundModels(hub: Hub, signal: AbortSignal): Promise<ModelList> {
  const deadline = Date.now() + askedWithinMs
  for (;;) {
    const found = await hub.call('listModels', {})
    const isThrough = found.endpoints.length > 0 && found.endpoints.every((each) => each.checkedAt !== null)
    if (isThrough || Date.now() > deadline || signal.aborted) return found
    await sleep(100)
  }
}

/** One line for each endpoint. */
export function modelLines({ endpoints, cloudAllowed }: ModelList): string[] {
  if (endpoints.length === 0) return ['none; see: npx muster model add --help']
  return endpoints.map((each) => neutraliseLine(lineOf(each, cloudAllowed)))
}

const shownModels = 4

function lineOf(endpoint: Endpoint, cloudAllowed: boolean): string {
  const { name, url, error, models, cloud, kind } = endpoint
  const get = kind === 'ollama' ? ' With https://ollama.com: ollama pull qwen3:8b' : ''
  if (endpoint.checkedAt === null) return `${name}: no answer yet from ${url}; see: npx muster model list`
  if (error !== null) return `${name}: none, ${error} (${url}).${get}`
  if (models.length === 0) return `${name}: none at ${url}.${get}`
  const shown = models.slice(0, shownModels).map((model) => model.name)
  const more = models.length > shownModels ? ` and ${models.length - shownModels} more` : ''
  const forbidden = cloud && !cloudAllowed ? '; not used until allowed: npx muster model cloud allow' : ''
  return `${name}: ${shown.join(', ')}${more} at ${url}${forbidden}`
}
