import { useState } from 'react'
import type { Task } from '@muster/contract/tasks'
import { taskActions, taskMay } from '@muster/contract/task-states'
import { useTaskVerb } from '../../api/commands.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { endingWords, stateWords } from '../../components/state-words.ts'
import { StateBadge } from '../../components/StateBadge.tsx'
import { paths } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { momentText } from '../../ui/time-text.ts'

export function TaskHeader({ task }: { task: Task }) {
  const [asking, setAsking] = useState(false)
  const cancel = useTaskVerb('cancelTask', task.short)
  const retry = useTaskVerb('retryTask', task.short)
  const error = cancel.error ?? retry.error
  return (
    <div className="grid gap-2">
      <Link
        href={paths.tasks()}
        className="inline-flex min-h-6 items-center gap-1 justify-self-start rounded text-[0.8125rem] text-muted hover:text-text"
      >
        <Icon name="back" />
        Tasks
      </Link>
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <h1 className="min-w-0 flex-1 basis-72 text-xl font-semibold [overflow-wrap:anywhere]">
          {task.title}
        </h1>
        <div className="flex gap-2">
          <VerbButton verb="cancel" task={task} busy={cancel.isPending} onClick={() => setAsking(true)} />
          <VerbButton verb="retry" task={task} busy={retry.isPending} onClick={() => retry.mutate()} />
        </div>
      </div>
      {/* Says the news of the task once it happens, to those who do not see it. */}
      <output aria-label="State of the task" className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <StateBadge state={task.state} filled />
        {task.ending !== null && (
          <span className="text-[0.8125rem] font-medium">{endingWords[task.ending]}</span>
        )}
        {task.reason !== null && (
          <span className="min-w-0 text-[0.8125rem] text-muted [overflow-wrap:anywhere]">
            {reasonText(task, task.reason)}
          </span>
        )}
      </output>
      {error !== null && <ErrorView error={error} />}
      {asking && (
        <CancelDialog
          task={task}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false)
            cancel.mutate()
          }}
        />
      )}
    </div>
  )
}

/** The hub names moments in its own zone and to the millisecond. It does not tick here: this is read aloud. */
function reasonText({ notBefore }: Task, reason: string): string {
  return notBefore === null ? reason : reason.replace(notBefore, momentText(notBefore))
}

type VerbButtonProps = { verb: keyof typeof verbs; task: Task; busy: boolean; onClick: () => void }

const verbs = {
  cancel: { word: 'Cancel', icon: 'stop', look: 'danger' },
  retry: { word: 'Retry', icon: 'retry', look: 'plain' },
} as const

/** A verb that the state refuses stays in its place and says why, also to those who only hear it. */
function VerbButton({ verb, task, busy, onClick }: VerbButtonProps) {
  const { word, icon, look } = verbs[verb]
  const may = taskMay(verb, task.state)
  const from = taskActions[verb].map((state) => stateWords[state].word.toLowerCase())
  const why = `This task is ${stateWords[task.state].word.toLowerCase()}; ${verb} works when it is ${orList(from)}.`
  return (
    <Button
      look={may ? look : 'plain'}
      icon={icon}
      busy={busy}
      aria-disabled={!may}
      title={may ? undefined : why}
      aria-description={may ? undefined : why}
      onClick={() => may && onClick()}
      className="aria-disabled:cursor-not-allowed aria-disabled:opacity-60 aria-disabled:hover:bg-panel"
    >
      {word}
    </Button>
  )
}

function orList(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}

function CancelDialog({
  task,
  onClose,
  onConfirm,
}: {
  task: Task
  onClose: () => void
  onConfirm: () => void
}) {
  const running = task.worker !== null
  return (
    <Dialog title="Cancel this task?" onClose={onClose}>
      <p className="[overflow-wrap:anywhere]">
        <span className="font-medium">{task.title}</span>{' '}
        {running
          ? 'is stopped where it is. What it changed reaches no branch.'
          : 'is taken out of the queue.'}
      </p>
      <p className="mt-1 text-[0.8125rem] text-muted">It can be retried later.</p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" icon="stop" onClick={onConfirm}>
          Cancel task
        </Button>
      </div>
    </Dialog>
  )
}
