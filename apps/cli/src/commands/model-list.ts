import type { Endpoint, EndpointModel, ModelList } from '@muster/contract/models'
import type { Command } from '../context.ts'
import type { Output } from '../output.ts'
import { neutraliseLine } from '../terminal-text.ts'

export const listModels: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const found = await hub.call('listModels', {})
  if (output.json) output.document(found)
  else print(found, output)
  return 0
}

export function print(found: ModelList, output: Output): void {
  if (found.items.length > 0) {
    output.table(
      [
        { name: 'model', cut: true },
        { name: 'endpoint' },
        { name: 'tier', drop: 1 },
        { name: 'state' },
        { name: 'size', drop: 3 },
        { name: 'context', drop: 4 },
        { name: 'why not', drop: 2 },
      ],
      found.items.map((model) => [
        model.name,
        model.endpoint,
        model.tierByHand ? `${model.tier} (by hand)` : model.tier,
        stateOf(model),
        model.parameterSize ?? '',
        model.contextTokens === null ? '' : String(model.contextTokens),
        model.unfit ?? '',
      ]),
    )
  }
  for (const endpoint of found.endpoints) {
    const words = endpointWords(endpoint)
    if (words !== undefined) output.note(neutraliseLine(words))
  }
  if (found.endpoints.length === 0) output.note('No endpoints. Add one: npx muster model add NAME URL')
  for (const { name, wantedBy, command } of found.missing) {
    output.note(neutraliseLine(`${name} is missing (wanted by ${wantedBy}). To get it: ${command}`))
  }
  const forbidden = found.items.some((model) => model.cloud) && !found.cloudAllowed
  if (forbidden)
    output.note('Models in the cloud are not used until you allow it: npx muster model cloud allow')
}

export function stateOf(model: EndpointModel): string {
  if (model.cloud) return 'cloud'
  return model.warm ? 'warm' : 'cold'
}

/** What a person should know of an endpoint beside its models; nothing when all is well. */
export function endpointWords({ name, url, health, error, models, kind }: Endpoint): string | undefined {
  if (health === 'unhealthy' || error !== null) {
    const how = health === 'unhealthy' ? 'unhealthy' : 'not answering'
    return `${name} (${url}) is ${how}: ${error ?? 'no answer'}.`
  }
  if (health === 'unknown') return `${name} (${url}) has not been asked yet.`
  if (models.length > 0) return undefined
  return `${name} (${url}) has no model.${kind === 'ollama' ? ' To get one: ollama pull qwen3:8b' : ''}`
}
