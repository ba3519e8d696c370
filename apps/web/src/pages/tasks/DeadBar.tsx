import { useState } from 'react'
import { useDeadVerb } from '../../api/queue-commands.ts'
import { ConfirmDialog } from '../../components/ConfirmDialog.tsx'
import { countText } from '../../components/count-text.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { Notice } from '../../ui/Notice.tsx'

type Verb = 'retry' | 'delete'

/** Above the list of dead tasks: all of them again, or all of them gone. `count` is null where it is not known. */
export function DeadBar({ count, repo }: { count: number | null; repo: string | undefined }) {
  const [asking, setAsking] = useState<Verb>()
  const retry = useDeadVerb('retryTasks')
  const remove = useDeadVerb('deleteTasks')
  const close = () => setAsking(undefined)
  const start = (verb: typeof retry) => {
    retry.reset()
    remove.reset()
    verb.mutate({ repo })
  }
  const where = repo === undefined ? '' : ` of ${repo}`
  const all = count === null ? `all dead tasks${where}` : `${countText(count, 'dead task')}${where}`
  const error = retry.error ?? remove.error
  return (
    <div className="grid gap-2">
      {count !== 0 && (
        <div className="flex flex-wrap items-center gap-2 text-[0.8125rem]">
          <p className="mr-auto text-muted">
            Dead tasks failed for good, or ran out of tries or time. They wait here for a person.
          </p>
          <Button icon="retry" busy={retry.isPending} onClick={() => setAsking('retry')}>
            Retry all
          </Button>
          <Button look="danger" icon="cross" busy={remove.isPending} onClick={() => setAsking('delete')}>
            Delete all
          </Button>
        </div>
      )}
      {error !== null && <ErrorView error={error} />}
      <Outcome result={retry.data} did="queued again" />
      <Outcome result={remove.data} did="deleted" />
      {asking === 'retry' && (
        <ConfirmDialog
          title={`Retry ${all}?`}
          does="Retry all"
          icon="retry"
          onClose={close}
          onConfirm={() => start(retry)}
        >
          <p>Each is queued again with all its tries, behind what is queued in its lane.</p>
        </ConfirmDialog>
      )}
      {asking === 'delete' && (
        <ConfirmDialog
          title={`Delete ${all}?`}
          does="Delete all"
          icon="cross"
          danger
          keep="Keep them"
          onClose={close}
          onConfirm={() => start(remove)}
        >
          <p>Their runs and all output go with them. Nothing brings them back.</p>
          <p className="text-muted">Branches of failed work and the log of events stay.</p>
        </ConfirmDialog>
      )}
    </div>
  )
}

function Outcome({
  result,
  did,
}: {
  result: { changed: number; refused: { id: string; message: string }[] } | undefined
  did: string
}) {
  if (result === undefined) return null
  const { changed, refused } = result
  const title = `${countText(changed, 'task')} ${did}.`
  if (refused.length === 0) return <Notice tone="ok" title={title} />
  return (
    <Notice tone="warn" title={`${title} ${countText(refused.length, 'task')} could not be.`}>
      <ul>
        {refused.slice(0, 5).map(({ id, message }) => (
          <li key={id}>
            <span className="font-mono text-xs">{id.slice(-8)}</span>: {message}
          </li>
        ))}
      </ul>
    </Notice>
  )
}
