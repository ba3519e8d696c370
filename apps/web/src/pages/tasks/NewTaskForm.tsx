import { useRef, useState, type FormEvent } from 'react'
import { createPortal } from 'react-dom'
import { lane, lanes } from '@muster/contract/task-states'
import { useCreateTask } from '../../api/commands.ts'
import { errorText } from '../../api/client.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { paths } from '../../paths.ts'
import { goBack, navigate } from '../../router.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { SelectField, TextArea, TextField } from '../../ui/Field.tsx'
import { randomKey } from '../../ui/random-key.ts'
import { AddRepoForm } from './AddRepoForm.tsx'
import { CheckRows } from './CheckRows.tsx'
import {
  bodyOf,
  emptyDraft,
  problemOfRefusal,
  problemsOf,
  type FieldProblems,
  type TaskDraft,
} from './task-form.ts'

type NewTaskFormProps = { repos: string[]; firstRepo?: string | undefined }

export function NewTaskForm({ repos, firstRepo }: NewTaskFormProps) {
  const [draft, setDraft] = useState<TaskDraft>({ ...emptyDraft, repo: firstRepo ?? repos[0] ?? '' })
  const [problems, setProblems] = useState<FieldProblems>({})
  const creating = useCreateTask()
  const keyFor = useSubmissionKey()
  const form = useRef<HTMLFormElement>(null)
  const change = (part: Partial<TaskDraft>) => setDraft((before) => ({ ...before, ...part }))

  const showProblems = (found: FieldProblems) => {
    setProblems(found)
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const found = problemsOf(draft)
    showProblems(found)
    if (Object.keys(found).length > 0) return
    const body = bodyOf(draft)
    creating.mutate(
      { body, idempotencyKey: keyFor(JSON.stringify(body)) },
      {
        onSuccess: (task) => navigate(paths.task(task.short), { replace: true }),
        onError: (error) => showProblems(problemOfRefusal(errorText(error).message)),
      },
    )
  }

  return (
    <form
      ref={form}
      onSubmit={submit}
      noValidate
      className="grid grid-cols-[minmax(0,1fr)] gap-4 rounded-lg border border-edge bg-panel p-4 shadow-panel sm:p-5"
    >
      {creating.error !== null && <ErrorView error={creating.error} />}
      <TextField
        label="Title"
        value={draft.title}
        error={problems['title']}
        placeholder="What should be different afterwards"
        onChange={(event) => change({ title: event.target.value })}
      />
      <RepoField
        repos={repos}
        value={draft.repo}
        error={problems['repo']}
        onChange={(repo) => change({ repo })}
      />
      <Work draft={draft} problems={problems} change={change} />
      <CheckRows checks={draft.checks} problems={problems} onChange={(checks) => change({ checks })} />
      <Details draft={draft} problems={problems} change={change} />
      <div className="flex gap-2 border-t border-edge pt-4">
        <Button type="submit" look="primary" busy={creating.isPending}>
          Hand in task
        </Button>
        <Button look="quiet" onClick={() => goBack(paths.tasks())}>
          Discard
        </Button>
      </div>
    </form>
  )
}

/** Either a command or a prompt: what is written in the other is kept, should somebody change his mind. */
function Work({ draft, problems, change }: DetailsProps) {
  const asks = draft.by === 'prompt'
  return (
    <>
      <SelectField
        label="Done by"
        value={draft.by}
        onChange={(event) => change({ by: event.target.value === 'prompt' ? 'prompt' : 'command' })}
      >
        <option value="command">a command</option>
        <option value="prompt">an agent with a model</option>
      </SelectField>
      {asks ? (
        <>
          <TextArea
            label="Prompt"
            rows={6}
            value={draft.prompt}
            error={problems['prompt']}
            help="What is to be done, in words. The agent works with tools behind the wall; the checks below prove its work."
            onChange={(event) => change({ prompt: event.target.value })}
          />
          <TextField
            label="Model"
            value={draft.model}
            error={problems['model']}
            placeholder="any that fits"
            spellCheck={false}
            onChange={(event) => change({ model: event.target.value })}
          />
        </>
      ) : (
        <TextArea
          label="Command"
          rows={4}
          value={draft.run}
          error={problems['run']}
          help="Run by sh -c behind the wall, with the repository at /workspace and no network."
          spellCheck={false}
          className="font-mono"
          onChange={(event) => change({ run: event.target.value })}
        />
      )}
    </>
  )
}

type RepoFieldProps = {
  repos: string[]
  value: string
  error: string | undefined
  onChange: (repo: string) => void
}

function RepoField({ repos, value, error, onChange }: RepoFieldProps) {
  const [adding, setAdding] = useState(false)
  return (
    <div className="flex flex-wrap items-start gap-2">
      <div className="min-w-40 flex-1">
        <SelectField
          label="Repository"
          value={value}
          error={error}
          onChange={(event) => onChange(event.target.value)}
        >
          {/* One that was registered a moment ago may not be in the list yet. */}
          {[...new Set([...repos, value])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
      </div>
      <Button icon="plus" onClick={() => setAdding(true)} className="min-[24rem]:mt-6">
        Register another
      </Button>
      {adding && <AddRepoDialog onAdded={onChange} onClose={() => setAdding(false)} />}
    </div>
  )
}

/** Stands in the body, because a form may not hold another one. */
function AddRepoDialog({ onAdded, onClose }: { onAdded: (name: string) => void; onClose: () => void }) {
  const added = (name: string) => {
    onAdded(name)
    onClose()
  }
  return createPortal(
    <Dialog title="Register a repository" onClose={onClose}>
      <AddRepoForm onAdded={added} />
    </Dialog>,
    document.body,
  )
}

type DetailsProps = { draft: TaskDraft; problems: FieldProblems; change: (part: Partial<TaskDraft>) => void }

function Details({ draft, problems, change }: DetailsProps) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SelectField
        label="Lane"
        value={draft.lane}
        error={problems['lane']}
        onChange={(event) => change({ lane: lane.parse(event.target.value) })}
      >
        {lanes.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </SelectField>
      <TextField
        label="Timeout in minutes"
        inputMode="decimal"
        placeholder="30"
        value={draft.minutes}
        error={problems['timeoutMs']}
        onChange={(event) => change({ minutes: event.target.value })}
      />
      <div className="sm:col-span-2">
        <TextArea
          label="May change"
          rows={2}
          value={draft.mayChange}
          error={problems['mayChange'] ?? problems['mayChange.0']}
          help="Tests and other files that define the proof are taken from the base commit. Name those that this task may change, one glob per line."
          spellCheck={false}
          className="font-mono"
          onChange={(event) => change({ mayChange: event.target.value })}
        />
      </div>
    </div>
  )
}

/** One key per submission: the same answers sent again after a lost reply make no second task. */
function useSubmissionKey(): (body: string) => string {
  const last = useRef({ body: '', key: '' })
  return (body) => {
    if (last.current.body !== body) last.current = { body, key: randomKey() }
    return last.current.key
  }
}
