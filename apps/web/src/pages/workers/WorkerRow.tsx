import type { ReactNode } from 'react'
import type { Worker } from '@muster/contract/workers'
import { toneText } from '../../components/state-words.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Age } from '../../ui/Time.tsx'
import { machineText, standingOf, supervisorText } from './worker-words.ts'
import { WorkerActions } from './WorkerActions.tsx'

export function WorkerRow({ worker }: { worker: Worker }) {
  const { word, tone, icon } = standingOf(worker)
  const run = supervisorText(worker)
  return (
    <li aria-label={worker.name} className="grid gap-2 px-3.5 py-3 text-[0.8125rem]">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span className="text-sm font-semibold [overflow-wrap:anywhere]">{worker.name}</span>
        <span className={`inline-flex items-center gap-1 font-medium ${toneText[tone]}`}>
          <Icon name={icon} />
          {word}
        </span>
        <Slots worker={worker} />
        <WorkerActions worker={worker} />
      </div>
      <Hindrances worker={worker} />
      <ul aria-label="Walls" className="grid gap-1">
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
      <dl className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {worker.capabilities.length > 0 && <Part name="Offers">{worker.capabilities.join(', ')}</Part>}
        {worker.status !== '' && <Part name="Says">{worker.status}</Part>}
        {worker.host !== null && <Part name="Host">{worker.host}</Part>}
        {worker.client !== null && <Part name="Client">{worker.client}</Part>}
        {run !== null && <Part name="Run by">{run}</Part>}
        {worker.resources !== null && <Part name="Machine">{machineText(worker.resources)}</Part>}
        {!worker.connected && worker.lastSeenAt !== null && (
          <Part name="Seen">
            <Age at={worker.lastSeenAt} />
          </Part>
        )}
      </dl>
    </li>
  )
}

function Slots({ worker: { busy, slots } }: { worker: Worker }) {
  return (
    <span className="inline-flex items-center gap-2 text-muted">
      <span aria-hidden="true" className="inline-flex gap-0.5">
        {Array.from({ length: Math.min(slots, 16) }, (_, slot) => (
          <span
            key={slot}
            className={`h-3 w-2 rounded-sm border border-control ${slot < busy ? 'bg-busy' : ''}`}
          />
        ))}
      </span>
      {busy} of {slots} slots busy
    </span>
  )
}

/** What keeps it from tasks, each in a sentence. */
function Hindrances({ worker }: { worker: Worker }) {
  return (
    <ul className="grid gap-0.5 text-warn [overflow-wrap:anywhere] empty:hidden">
      {worker.cordoned !== null && <li>Gets no new task: {worker.cordoned}</li>}
      {worker.blocked !== null && <li>Takes no task: {worker.blocked.reason}</li>}
      {worker.flaggedAt !== null && (
        <li>
          Did not accept a task in time, <Age at={worker.flaggedAt} />
        </li>
      )}
    </ul>
  )
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 gap-1.5">
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </div>
  )
}
