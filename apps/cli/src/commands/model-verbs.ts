import type { EndpointKind } from '@muster/contract/models'
import { tiers, type Tier } from '@muster/contract/task-states'
import type { Command } from '../context.ts'
import { Failure } from '../failure.ts'
import { endpointWords } from './model-list.ts'

type AddOptions = { kind: EndpointKind; limit?: number; model?: string[]; cloud?: true; own?: true }

export const addEndpoint: Command<AddOptions, [string, string]> = async (
  { output, ...context },
  { kind, limit, model, cloud, own },
  name,
  url,
) => {
  const hub = await context.hub()
  const endpoint = await hub.call('addEndpoint', {
    body: {
      name,
      url,
      kind,
      ...(limit === undefined ? {} : { limit }),
      ...(model === undefined ? {} : { models: model }),
      ...(cloud === true ? { cloud: true } : own === true ? { cloud: false } : {}),
    },
  })
  if (output.json) output.document(endpoint)
  else {
    const models = endpoint.models.length
    const problem = endpointWords(endpoint)
    output.note(
      problem === undefined
        ? `${name} is registered with ${models} ${models === 1 ? 'model' : 'models'}. See: npx muster model list`
        : `${name} is registered. ${problem} It is asked again every 30 s.`,
    )
    if (endpoint.cloud)
      output.note('What is sent there leaves your machines; see: npx muster model cloud --help')
  }
  return 0
}

export const removeEndpoint: Command<object, [string]> = async ({ output, ...context }, _options, name) => {
  const hub = await context.hub()
  const done = await hub.call('removeEndpoint', { params: { endpoint: name } })
  if (output.json) output.document(done)
  else output.note(`${name} is forgotten.`)
  return 0
}

export const setTier: Command<object, [string, string]> = async (
  { output, ...context },
  _options,
  model,
  word,
) => {
  const tier = word === 'auto' ? null : tiers.find((each): each is Tier => each === word)
  if (tier === undefined) {
    throw new Failure('usage', `"${word}" is no tier.`, `Tiers are ${tiers.join(', ')}; or auto.`, 2)
  }
  const hub = await context.hub()
  const found = await hub.call('setModelTier', { body: { model, tier } })
  const now = found.items.find((each) => each.name === model)
  if (output.json) output.document(found)
  else
    output.note(`${model} is for ${now?.tier ?? 'no'} tasks${tier === null ? ', as its size suggests' : ''}.`)
  return 0
}

export const setCloud: Command<object, [string]> = async ({ output, ...context }, _options, word) => {
  if (word !== 'allow' && word !== 'forbid') {
    throw new Failure('usage', `"${word}" is neither allow nor forbid.`, 'Say allow or forbid.', 2)
  }
  const hub = await context.hub()
  const found = await hub.call('allowCloud', { body: { allowed: word === 'allow' } })
  if (output.json) output.document(found)
  else if (found.cloudAllowed)
    output.note('Tasks may be sent to models in the cloud; local ones still come first.')
  else output.note('Nothing is sent to models in the cloud; what runs there goes on.')
  return 0
}
