import { useQuery } from '@tanstack/react-query'
import type { ModelList } from '@muster/contract/models'
import { useAllowCloud } from '../../api/model-commands.ts'
import { modelsQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { usePageTitle } from '../../components/page-title.ts'
import { paths } from '../../paths.ts'
import { goBack } from '../../router.tsx'
import { Button } from '../../ui/Button.tsx'
import { Disclosure } from '../../ui/Disclosure.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { AddEndpointForm } from './AddEndpointForm.tsx'
import { EndpointRow } from './EndpointRow.tsx'
import { MissingModels } from './MissingModels.tsx'

/** Where models are served, how they do, and what is wanted and missing. */
export function ModelsPage() {
  usePageTitle('Models')
  useHotkeys({ Escape: () => goBack(paths.tasks()) })
  const models = useQuery(modelsQuery)
  return (
    <div className="mx-auto grid max-w-5xl grid-cols-[minmax(0,1fr)] gap-4">
      <h1 className="text-lg font-semibold">Models</h1>
      {models.error !== null && <ErrorView error={models.error} onRetry={() => void models.refetch()} />}
      {models.isPending && <Loading label="Loading models" lines={4} />}
      {models.data !== undefined && (
        <>
          <MissingModels missing={models.data.missing} />
          <Panel title="Endpoints">
            {models.data.endpoints.length === 0 && (
              <p className="px-3.5 py-3 text-[0.8125rem] text-muted">
                No endpoint yet. Start an Ollama on this machine, or add the address of a server of models.
              </p>
            )}
            <ul aria-label="Endpoints" className="divide-y divide-edge">
              {models.data.endpoints.map((endpoint) => (
                <EndpointRow key={endpoint.id} endpoint={endpoint} />
              ))}
            </ul>
            <div className="border-t border-edge px-3.5 py-3">
              <Disclosure summary="Add an endpoint">
                <AddEndpointForm />
              </Disclosure>
            </div>
          </Panel>
          <Cloud models={models.data} />
        </>
      )}
    </div>
  )
}

function Cloud({ models: { cloudAllowed, items } }: { models: ModelList }) {
  const allow = useAllowCloud()
  if (!cloudAllowed && !items.some((model) => model.cloud)) return null
  return (
    <Panel title="Models in the cloud">
      <div className="grid justify-items-start gap-3 px-3.5 py-3 text-[0.8125rem]">
        <p>
          {cloudAllowed
            ? 'Tasks may be sent to machines of others. Your own machines still come first.'
            : 'Nothing is sent to machines of others until you allow it. It may cost money.'}
        </p>
        {allow.error !== null && <ErrorView error={allow.error} />}
        <Button busy={allow.isPending} onClick={() => allow.mutate(!cloudAllowed)}>
          {cloudAllowed ? 'Forbid the cloud' : 'Allow the cloud'}
        </Button>
      </div>
    </Panel>
  )
}
