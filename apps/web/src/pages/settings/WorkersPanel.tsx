import { useQuery } from '@tanstack/react-query'
import type { Worker } from '@muster/contract/workers'
import { workersQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Age } from '../../ui/Time.tsx'

export function WorkersPanel() {
  const workers = useQuery(workersQuery)
  return (
    <Panel title="Workers">
      {workers.isPending && <Loading label="Loading workers" lines={2} />}
      {workers.error !== null && (
        <div className="p-3">
          <ErrorView error={workers.error} onRetry={() => void workers.refetch()} />
        </div>
      )}
      {workers.data?.items.length === 0 && (
        <p className="px-3.5 py-3 text-[0.8125rem] text-muted">
          No worker yet. Make a worker token below, then run{' '}
          <code className="font-mono text-text">npx muster worker join</code> on the machine that should run
          tasks.
        </p>
      )}
      <ul className="divide-y divide-edge">
        {workers.data?.items.map((worker) => (
          <WorkerRow key={worker.id} worker={worker} />
        ))}
      </ul>
    </Panel>
  )
}

function WorkerRow({ worker }: { worker: Worker }) {
  return (
    <li className="grid gap-1 px-3.5 py-2.5 text-[0.8125rem]">
      <div className="flex flex-wrap items-center gap-x-3">
        <span className="font-medium">{worker.name}</span>
        <span className={`inline-flex items-center gap-1 ${worker.connected ? 'text-ok' : 'text-warn'}`}>
          <Icon name={worker.connected ? 'check' : 'warning'} />
          {worker.connected ? 'Connected' : 'Not connected'}
        </span>
        <span className="text-muted">
          {worker.busy} of {worker.slots} slots busy
        </span>
        <span className="ml-auto text-xs text-muted">
          {[worker.host, worker.version].filter((part) => part !== null).join(' · ')}
          {!worker.connected && worker.lastSeenAt !== null && (
            <>
              {' '}
              · seen <Age at={worker.lastSeenAt} />
            </>
          )}
        </span>
      </div>
      <ul className="grid gap-1">
        {worker.walls.map((wall) => (
          <li key={wall.kind} className="flex flex-wrap items-center gap-x-2 text-xs">
            <span
              className={`inline-flex items-center gap-1 font-medium ${wall.ok ? 'text-ok' : 'text-bad'}`}
            >
              <Icon name={wall.ok ? 'check' : 'cross'} />
              {wall.kind} wall {wall.ok ? 'works' : 'does not work'}
            </span>
            <span className="text-muted [overflow-wrap:anywhere]">{wall.detail}</span>
            {wall.fix !== undefined && <code className="w-full pl-5 font-mono">{wall.fix}</code>}
          </li>
        ))}
      </ul>
    </li>
  )
}
