import { useState, type FormEvent } from 'react'
import { repoCreate } from '@muster/contract/repos'
import { useAddRepo } from '../../api/commands.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { TextField } from '../../ui/Field.tsx'

export function AddRepoForm({ onAdded }: { onAdded: (name: string) => void }) {
  const [name, setName] = useState('')
  const [url, setUrl] = useState('')
  const [problems, setProblems] = useState<Record<string, string>>({})
  const adding = useAddRepo()

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const parsed = repoCreate.safeParse({ name, url })
    setProblems(
      Object.fromEntries((parsed.error?.issues ?? []).map((issue) => [issue.path.join('.'), issue.message])),
    )
    if (parsed.success) adding.mutate({ name, url }, { onSuccess: (repo) => onAdded(repo.name) })
  }

  return (
    <form onSubmit={submit} noValidate className="grid gap-3">
      {adding.error !== null && <ErrorView error={adding.error} />}
      <TextField
        label="Name"
        value={name}
        error={problems['name']}
        onChange={(event) => setName(event.target.value)}
        placeholder="demo"
        autoCapitalize="off"
        spellCheck={false}
      />
      <TextField
        label="Path or URL"
        value={url}
        error={problems['url']}
        onChange={(event) => setUrl(event.target.value)}
        placeholder="/home/you/project"
        help="An absolute path on the machine of the workers, or an https or ssh URL."
        autoCapitalize="off"
        spellCheck={false}
        className="font-mono"
      />
      <Button type="submit" look="primary" busy={adding.isPending} className="justify-self-start">
        Register repository
      </Button>
    </form>
  )
}
