import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import type { Queue } from '@muster/contract/queue'
import { queueQuery } from '../../api/queries.ts'
import { useQueueVerb } from '../../api/queue-commands.ts'
import { ConfirmDialog } from '../../components/ConfirmDialog.tsx'
import { countText } from '../../components/count-text.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { paths } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { durationText } from '../../ui/time-text.ts'

/** The queue at a glance, with the two ways to hold it. */
export function QueueStrip() {
  const queue = useQuery(queueQuery)
  const pause = useQueueVerb('pauseQueue')
  const resume = useQueueVerb('resumeQueue')
  const stop = useQueueVerb('stopQueue')
  const [asking, setAsking] = useState(false)
  if (queue.error !== null) return <ErrorView error={queue.error} onRetry={() => void queue.refetch()} />
  if (queue.data === undefined) return null
  const { paused, running } = queue.data
  const error = pause.error ?? resume.error ?? stop.error
  return (
    <section aria-label="Queue" className="grid gap-2">
      <div
        className={`flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border px-3 py-2 text-[0.8125rem] shadow-panel ${paused ? 'border-warn bg-warn-soft' : 'border-edge bg-panel'}`}
      >
        <output
          className={`inline-flex items-center gap-1.5 font-medium ${paused ? 'text-warn' : 'text-ok'}`}
        >
          <Icon name={paused ? 'pause' : 'check'} />
          {paused ? 'Paused: nothing is assigned' : 'Queue open'}
        </output>
        <Numbers queue={queue.data} />
        <div className="ml-auto flex flex-wrap gap-2">
          {paused ? (
            <Button look="primary" icon="play" busy={resume.isPending} onClick={() => resume.mutate()}>
              Resume
            </Button>
          ) : (
            <Button icon="pause" busy={pause.isPending} onClick={() => pause.mutate()}>
              Pause
            </Button>
          )}
          <Button look="danger" icon="stop" busy={stop.isPending} onClick={() => setAsking(true)}>
            Stop everything
          </Button>
        </div>
      </div>
      {error !== null && <ErrorView error={error} />}
      {asking && (
        <ConfirmDialog
          title="Stop everything?"
          does="Stop everything"
          icon="stop"
          danger
          keep="Let it run"
          onClose={() => setAsking(false)}
          onConfirm={() => stop.mutate()}
        >
          <p>
            {running === 0
              ? 'Nothing runs at the moment.'
              : `${countText(running, 'run')} ${running === 1 ? 'is' : 'are'} killed now, and what ${running === 1 ? 'it' : 'they'} changed is lost.`}{' '}
            The queue is paused.
          </p>
          <p className="text-muted">
            No task is lost: what ran is queued again and starts from the beginning when you resume.
          </p>
        </ConfirmDialog>
      )}
    </section>
  )
}

function Numbers({ queue }: { queue: Queue }) {
  const lanes = queue.byLane.filter(({ waiting }) => waiting > 0)
  return (
    <dl className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <Figure name="Running">
        {queue.running} <span className="text-muted">of at most {queue.maxRunning}</span>
      </Figure>
      <Figure name="Queued">
        {queue.waiting.toLocaleString('en-GB')}
        {lanes.some(({ lane }) => lane !== 'normal') && (
          <span className="text-muted">
            {' '}
            ({lanes.map((each) => `${each.waiting} ${each.lane}`).join(', ')})
          </span>
        )}
        {queue.oldestWaitMs !== null && (
          <span className="text-muted max-sm:hidden">
            , the oldest for {durationText(queue.oldestWaitMs)}
          </span>
        )}
      </Figure>
      <Figure name="Dead">
        {queue.dead === 0 ? (
          0
        ) : (
          <Link href={paths.tasks({ state: 'dead' })} className="font-medium text-bad underline">
            {queue.dead.toLocaleString('en-GB')}
          </Link>
        )}
      </Figure>
    </dl>
  )
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
