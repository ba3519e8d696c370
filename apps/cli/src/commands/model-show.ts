import type { Endpoint } from '@muster/contract/models'
import type { Command } from '../context.ts'
import type { Output } from '../output.ts'
import { neutraliseLine } from '../terminal-text.ts'
import { stateOf } from './model-list.ts'

export const showEndpoint: Command<object, [string]> = async ({ output, ...context }, _options, name) => {
  const hub = await context.hub()
  const endpoint = await hub.call('getEndpoint', { params: { endpoint: name } })
  if (output.json) output.document(endpoint)
  else printEndpoint(endpoint, output)
  return 0
}

export const refreshEndpoint: Command<object, [string]> = async ({ output, ...context }, _options, name) => {
  const hub = await context.hub()
  const endpoint = await hub.call('refreshEndpoint', { params: { endpoint: name }, body: {} })
  if (output.json) output.document(endpoint)
  else printEndpoint(endpoint, output)
  return 0
}

function printEndpoint(endpoint: Endpoint, output: Output): void {
  for (const [key, text] of linesOf(endpoint)) output.line(`${key.padEnd(11)} ${neutraliseLine(text)}`)
}

function linesOf(endpoint: Endpoint): [string, string][] {
  const { name, kind, url, source, worker, cloud, limit, health, error, version, pausedUntil } = endpoint
  const from = {
    manual: 'a person',
    settings: 'the settings of the hub',
    worker: `the worker ${worker ?? ''}`,
  }
  return [
    ['name', name],
    ['kind', version === null ? kind : `${kind} ${version}`],
    ['address', url],
    ['named by', from[source]],
    ['place', cloud ? 'cloud: what is sent there leaves your machines' : 'one of your own machines'],
    ['health', error === null ? health : `${health}: ${error}`],
    ['checked', endpoint.checkedAt ?? 'never'],
    ...(pausedUntil === null
      ? []
      : [['paused', `until ${pausedUntil}, because runs failed there`] as [string, string]]),
    ['limit', `${limit} runs at once`],
    ...endpoint.models.map((model): [string, string] => [
      'model',
      [
        model.name,
        stateOf(model),
        model.tier,
        ...(model.parameterSize === null ? [] : [model.parameterSize]),
        ...(model.quantization === null ? [] : [model.quantization]),
        ...(model.contextTokens === null ? [] : [`${model.contextTokens} tokens`]),
        ...(model.capabilities === null ? [] : [model.capabilities.join(' ') || 'not for tasks']),
      ].join(', '),
    ]),
  ]
}
