import { useQuery } from '@tanstack/react-query'
import type { Worker } from '@muster/contract/workers'
import { workersQuery } from '../api/queries.ts'
import { paths } from '../paths.ts'
import { Link } from '../router.tsx'
import { Icon } from '../ui/Icon.tsx'
import { Notice } from '../ui/Notice.tsx'

/** How many workers stand ready, in the header of every page. */
export function FleetCount() {
  const { data } = useQuery(workersQuery)
  if (data === undefined) return null
  const connected = data.items.filter((worker) => worker.connected)
  const busy = connected.reduce((sum, worker) => sum + worker.busy, 0)
  const slots = connected.reduce((sum, worker) => sum + worker.slots, 0)
  const trouble = connected.length === 0 || connected.some((worker) => worker.walls.some((wall) => !wall.ok))
  return (
    <Link
      href={paths.workers()}
      aria-label={`${connected.length} of ${data.items.length} workers connected, ${busy} of ${slots} slots busy${trouble ? ', needs attention' : ''}`}
      className={`inline-flex min-h-8 items-center gap-1.5 rounded-md px-2 text-[0.8125rem] whitespace-nowrap hover:bg-hover ${trouble ? 'text-warn' : 'text-muted'}`}
    >
      <Icon name={trouble ? 'warning' : 'server'} />
      {data.items.length === 0 ? (
        'No workers'
      ) : (
        <span>
          {connected.length}/{data.items.length}
          <span className="hidden sm:inline"> workers</span>
          <span className="hidden md:inline">
            {' '}
            · {busy}/{slots} busy
          </span>
        </span>
      )}
    </Link>
  )
}

/** What keeps tasks from being run, with the one thing that helps; nothing when all is well. */
export function FleetWarnings() {
  const { data } = useQuery(workersQuery)
  if (data === undefined) return null
  const connected = data.items.filter((worker) => worker.connected)
  if (connected.length === 0) {
    return (
      <Notice tone="warn" title="No worker is connected, so queued tasks wait.">
        <p>
          On the machine that should run them: <code className="font-mono">npx muster worker join</code>
        </p>
      </Notice>
    )
  }
  return connected.flatMap(brokenWalls).map(({ worker, wall }) => (
    <Notice
      key={`${worker.id}/${wall.kind}`}
      tone="warn"
      title={`${worker.name}: the ${wall.kind} wall does not work.`}
    >
      <p>{wall.detail}</p>
      {wall.fix !== undefined && (
        <p>
          To fix it: <code className="font-mono">{wall.fix}</code>
        </p>
      )}
    </Notice>
  ))
}

function brokenWalls(worker: Worker) {
  return worker.walls.filter((wall) => !wall.ok).map((wall) => ({ worker, wall }))
}
