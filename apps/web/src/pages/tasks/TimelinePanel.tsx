import { useQuery } from '@tanstack/react-query'
import type { Event, EventKind } from '@muster/contract/events'
import type { Task } from '@muster/contract/tasks'
import { eventsQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Scroller } from '../../ui/Scroller.tsx'
import { dateText } from '../../ui/time-text.ts'
import { phaseText } from './phase-text.ts'

export function TimelinePanel({ task }: { task: Task }) {
  const events = useQuery(eventsQuery(task.short, task.id))
  return (
    <Panel title="Timeline">
      {events.isPending && <Loading label="Loading the timeline" lines={3} />}
      {events.error !== null && (
        <div className="p-3">
          <ErrorView error={events.error} onRetry={() => void events.refetch()} />
        </div>
      )}
      <Scroller label="Events, newest first" className="max-h-96">
        <ol className="py-1.5">
          {events.data?.items.toReversed().map((event) => (
            <li
              key={event.cursor}
              className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-2 px-3.5 py-1 text-[0.8125rem]"
            >
              <time dateTime={event.at} title={dateText(event.at)} className="pt-px text-xs text-muted">
                {new Date(event.at).toLocaleTimeString('en-GB')}
              </time>
              <div className="min-w-0 [overflow-wrap:anywhere]">
                {eventText(event)}
                <Detail event={event} />
              </div>
            </li>
          ))}
        </ol>
      </Scroller>
    </Panel>
  )
}

const words: Partial<Record<EventKind, string>> = {
  'task.created': 'Handed in',
  'task.assigned': 'Assigned',
  'task.accepted': 'Accepted by the worker',
  'task.requeued': 'Back in the queue',
  'task.released': 'Nothing to wait for any more',
  'task.done': 'Done',
  'task.dead': 'Dead',
  'task.cancelled': 'Cancelled',
  'task.retried': 'Retried',
  'run.publish_granted': 'Allowed to publish the branch',
  'run.refused_stale': 'A write of an older run was refused',
}

function eventText(event: Event): string {
  const phase = event.data['phase']
  if (event.kind === 'task.phase' && typeof phase === 'string') return phaseText(phase)
  return words[event.kind] ?? event.kind
}

function Detail({ event }: { event: Event }) {
  const parts = ['reason', 'worker', 'ending', 'branch']
    .map((key) => event.data[key])
    .filter((value) => typeof value === 'string' && value !== '')
  return <p className="text-xs text-muted">{[...parts, `by ${event.actor}`].join(' · ')}</p>
}
