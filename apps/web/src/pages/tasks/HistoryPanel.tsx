import { useQuery } from '@tanstack/react-query'
import type { Event, EventKind } from '@muster/contract/events'
import type { Task } from '@muster/contract/tasks'
import { historyQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Scroller } from '../../ui/Scroller.tsx'
import { dateText, tookText } from '../../ui/time-text.ts'
import { phaseText } from './phase-text.ts'

// What the hub keeps at hand of a task's events.
const most = 50

export function HistoryPanel({ task }: { task: Task }) {
  const events = useQuery(historyQuery(task.short))
  return (
    <Panel
      title="History"
      aside={
        events.data?.items.length === most && (
          <span className="pr-1.5 text-xs text-muted">the last {most}</span>
        )
      }
    >
      {events.isPending && <Loading label="Loading the history" lines={3} />}
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
  'task.retrying': 'Failed, to be tried again',
  'task.pushed': 'Pushed to a worker',
  'task.woken': 'What it needs was woken',
  'task.wake_failed': 'What it needs could not be woken',
  'task.quiet': 'Says nothing any more',
  'task.lane_raised': 'Moved up after a long wait',
  'task.late_result': 'A late result was taken',
  'task.released': 'Nothing to wait for any more',
  'task.done': 'Done',
  'task.dead': 'Dead',
  'task.cancelled': 'Cancelled',
  'task.retried': 'Retried',
  'run.resumed': 'Goes on behind an earlier run',
  'run.parked': 'Waits and goes on later',
  'budget.low': 'A budget is nearly used up',
  'budget.exhausted': 'A budget is used up',
  'run.publish_granted': 'Allowed to publish the branch',
  'run.refused_stale': 'A write of an older run was refused',
}

function eventText(event: Event): string {
  const phase = event.data['phase']
  if (event.kind === 'task.phase' && typeof phase === 'string') return phaseText(phase)
  return words[event.kind] ?? event.kind
}

function Detail({ event }: { event: Event }) {
  const { delayMs } = event.data
  // A reason names the worker itself.
  const keys = typeof event.data['reason'] === 'string' ? ['reason'] : ['worker']
  const parts = [...keys, 'why', 'ending', 'branch', 'to']
    .map((key) => event.data[key])
    .filter((value) => typeof value === 'string' && value !== '')
  if (typeof delayMs === 'number') parts.push(`next try after ${tookText(delayMs)}`)
  return <p className="text-xs text-muted">{[...parts, `by ${event.actor}`].join(' · ')}</p>
}
