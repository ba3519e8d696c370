import { useQuery } from '@tanstack/react-query'
import { workersQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { usePageTitle } from '../../components/page-title.ts'
import { paths } from '../../paths.ts'
import { goBack, Link } from '../../router.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { WorkerRow } from './WorkerRow.tsx'

/** Every machine that runs tasks, what keeps it from them, and what a person can do about it. */
export function WorkersPage() {
  usePageTitle('Workers')
  useHotkeys({ Escape: () => goBack(paths.tasks()) })
  const workers = useQuery(workersQuery)
  return (
    <div className="mx-auto grid max-w-5xl grid-cols-[minmax(0,1fr)] gap-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <h1 className="text-lg font-semibold">Workers</h1>
        <Link href={paths.models()} className="text-[0.8125rem] text-accent underline">
          Models that they use
        </Link>
      </div>
      {workers.error !== null && <ErrorView error={workers.error} onRetry={() => void workers.refetch()} />}
      {workers.isPending && <Loading label="Loading workers" lines={4} />}
      {workers.data !== undefined && (
        <Panel title="Machines that run tasks">
          {workers.data.items.length === 0 && (
            <p className="px-3.5 py-3 text-[0.8125rem] text-muted">
              No worker yet. Make a worker token in the{' '}
              <Link href={paths.settings()} className="text-accent underline">
                settings
              </Link>
              , then run <code className="font-mono text-text">npx muster worker join</code> on the machine
              that should run tasks.
            </p>
          )}
          <ul aria-label="Workers" className="divide-y divide-edge">
            {workers.data.items.map((worker) => (
              <WorkerRow key={worker.id} worker={worker} />
            ))}
          </ul>
        </Panel>
      )}
    </div>
  )
}
