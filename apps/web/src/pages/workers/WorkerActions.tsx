import { useState } from 'react'
import type { Worker } from '@muster/contract/workers'
import { useRestart, useUncordon, useWorkerVerb } from '../../api/queue-commands.ts'
import { ConfirmDialog } from '../../components/ConfirmDialog.tsx'
import { countText } from '../../components/count-text.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { TextField } from '../../ui/Field.tsx'

type Verb = 'cordon' | 'stop' | 'restart'

export function WorkerActions({ worker }: { worker: Worker }) {
  const [asking, setAsking] = useState<Verb>()
  const cordon = useWorkerVerb('cordonWorker', worker.name)
  const stop = useWorkerVerb('stopWorker', worker.name)
  const uncordon = useUncordon(worker.name)
  const restart = useRestart(worker.name)
  const error = cordon.error ?? stop.error ?? uncordon.error ?? restart.error
  const supervised = worker.connected && worker.supervisor !== null && worker.supervisor.kind !== 'none'
  const ask = (verb: Verb) => () => setAsking(verb)
  const confirm = (reason: string) => {
    if (asking === 'cordon') cordon.mutate(reason)
    else if (asking === 'stop') stop.mutate(reason)
    else restart.mutate()
  }
  return (
    <>
      <div className="ml-auto flex flex-wrap gap-2 max-sm:w-full">
        {supervised && (
          <Button icon="retry" busy={restart.isPending || worker.restarting} onClick={ask('restart')}>
            Restart
          </Button>
        )}
        {worker.cordoned === null ? (
          <Button icon="pause" busy={cordon.isPending} onClick={ask('cordon')}>
            Cordon
          </Button>
        ) : (
          <Button look="primary" icon="play" busy={uncordon.isPending} onClick={() => uncordon.mutate()}>
            Uncordon
          </Button>
        )}
        <Button look="danger" icon="stop" busy={stop.isPending} onClick={ask('stop')}>
          Stop
        </Button>
      </div>
      {error !== null && (
        <div className="w-full">
          <ErrorView error={error} />
        </div>
      )}
      {asking !== undefined && (
        <WorkerDialog
          key={asking}
          verb={asking}
          worker={worker}
          onClose={() => setAsking(undefined)}
          onConfirm={confirm}
        />
      )}
    </>
  )
}

type DialogProps = {
  verb: Verb
  worker: Worker
  onClose: () => void
  onConfirm: (reason: string) => void
}

function WorkerDialog({ verb, worker, onClose, onConfirm }: DialogProps) {
  const [reason, setReason] = useState('')
  const { does, icon, says } = words[verb]
  return (
    <ConfirmDialog
      title={`${does} ${worker.name}?`}
      does={does}
      icon={icon}
      danger={verb === 'stop'}
      keep="Leave it"
      onClose={onClose}
      onConfirm={() => onConfirm(reason)}
    >
      <p>{says(worker)}</p>
      {verb !== 'restart' && (
        <div className="mt-1.5">
          <TextField
            label="Reason (optional)"
            help="Shown wherever a task waits for it."
            maxLength={256}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
      )}
    </ConfirmDialog>
  )
}

const words = {
  cordon: {
    does: 'Cordon',
    icon: 'pause',
    says: ({ busy }: Worker) =>
      busy === 0
        ? 'It gets no new task until it is uncordoned.'
        : `It gets no new task until it is uncordoned. What it runs goes on: ${countText(busy, 'task')}.`,
  },
  stop: {
    does: 'Stop',
    icon: 'stop',
    says: ({ busy }: Worker) =>
      busy === 0
        ? 'It runs nothing, and gets no new task until it is uncordoned.'
        : `${countText(busy, 'run')} there ${busy === 1 ? 'is' : 'are'} killed now; the tasks are queued again. It gets no new task until it is uncordoned.`,
  },
  restart: {
    does: 'Restart',
    icon: 'retry',
    says: ({ busy }: Worker) =>
      busy === 0
        ? 'It takes no task for a few seconds, until it is back.'
        : `It restarts when what it runs has ended: ${countText(busy, 'task')}. Until it is back it takes no new one.`,
  },
} as const
