import { useState } from 'react'
import type { Endpoint, EndpointModel } from '@muster/contract/models'
import { tiers } from '@muster/contract/task-states'
import { useEndpointVerb, useSetTier } from '../../api/model-commands.ts'
import { ConfirmDialog } from '../../components/ConfirmDialog.tsx'
import { ErrorView } from '../../components/ErrorView.tsx'
import { toneText } from '../../components/state-words.ts'
import { Button } from '../../ui/Button.tsx'
import { SelectField } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Age } from '../../ui/Time.tsx'
import { healthOf, sourceText } from './model-words.ts'

export function EndpointRow({ endpoint }: { endpoint: Endpoint }) {
  const { word, tone, icon } = healthOf(endpoint)
  return (
    <li aria-label={endpoint.name} className="grid gap-2 px-3.5 py-3 text-[0.8125rem]">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span className="text-sm font-semibold [overflow-wrap:anywhere]">{endpoint.name}</span>
        <span className={`inline-flex items-center gap-1 font-medium ${toneText[tone]}`}>
          <Icon name={icon} />
          {word}
        </span>
        <span className="text-muted">{endpoint.cloud ? 'in the cloud' : 'your own machine'}</span>
        <Actions endpoint={endpoint} />
      </div>
      {endpoint.error !== null && (
        <p className="text-warn [overflow-wrap:anywhere]">It does not answer: {endpoint.error}</p>
      )}
      <p className="text-xs text-muted [overflow-wrap:anywhere]">
        {endpoint.kind} at <span className="font-mono">{endpoint.url}</span>, {sourceText(endpoint)}, at most{' '}
        {endpoint.limit} runs at once
        {endpoint.checkedAt !== null && (
          <>
            , asked <Age at={endpoint.checkedAt} />
          </>
        )}
      </p>
      {endpoint.models.length === 0 && endpoint.health === 'healthy' && (
        <p className="text-muted">
          It has no model.{' '}
          {endpoint.kind === 'ollama' && (
            <>
              To get one there: <code className="font-mono text-text">ollama pull qwen3:8b</code>
            </>
          )}
        </p>
      )}
      <ul aria-label={`Models of ${endpoint.name}`} className="grid gap-1.5 empty:hidden">
        {endpoint.models.map((model) => (
          <ModelRow key={model.name} model={model} />
        ))}
      </ul>
    </li>
  )
}

function Actions({ endpoint }: { endpoint: Endpoint }) {
  const [asking, setAsking] = useState(false)
  const refresh = useEndpointVerb('refreshEndpoint', endpoint.name)
  const remove = useEndpointVerb('removeEndpoint', endpoint.name)
  const error = refresh.error ?? remove.error
  return (
    <>
      <div className="ml-auto flex flex-wrap gap-2 max-sm:w-full">
        {endpoint.source !== 'worker' && (
          <Button icon="retry" busy={refresh.isPending} onClick={() => refresh.mutate()}>
            Ask now
          </Button>
        )}
        {endpoint.source !== 'settings' && (
          <Button look="danger" icon="cross" busy={remove.isPending} onClick={() => setAsking(true)}>
            Remove
          </Button>
        )}
      </div>
      {error !== null && (
        <div className="w-full">
          <ErrorView error={error} />
        </div>
      )}
      {asking && (
        <ConfirmDialog
          title={`Remove ${endpoint.name}?`}
          does="Remove"
          icon="cross"
          danger
          keep="Keep it"
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate()}
        >
          <p>Tasks are not given to its models any more; what runs there goes on. The models stay on it.</p>
        </ConfirmDialog>
      )}
    </>
  )
}

function ModelRow({ model }: { model: EndpointModel }) {
  const setTier = useSetTier(model.name)
  const facts = [
    model.cloud ? 'cloud' : model.warm ? 'warm' : 'cold',
    model.parameterSize,
    model.quantization,
    model.contextTokens === null ? null : `${model.contextTokens.toLocaleString('en')} tokens`,
  ]
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span className="font-mono text-xs [overflow-wrap:anywhere]">{model.name}</span>
      <span className="text-xs text-muted">
        {facts.filter((fact) => fact !== null && fact !== '').join(', ')}
      </span>
      {model.unfit !== null && (
        <span className="text-xs text-warn [overflow-wrap:anywhere]">not used: {model.unfit}</span>
      )}
      <span className="ml-auto w-48 max-sm:w-full">
        <SelectField
          label={`Tasks that ${model.name} is for`}
          hideLabel
          value={model.tierByHand ? model.tier : 'auto'}
          disabled={setTier.isPending}
          onChange={(event) => setTier.mutate(tiers.find((tier) => tier === event.target.value) ?? null)}
        >
          <option value="auto">by its size{model.tierByHand ? '' : `: ${model.tier}`}</option>
          {tiers.map((tier) => (
            <option key={tier} value={tier}>
              {tier} tasks
            </option>
          ))}
        </SelectField>
      </span>
      {setTier.error !== null && (
        <div className="w-full">
          <ErrorView error={setTier.error} />
        </div>
      )}
    </li>
  )
}
