import { useState, type FormEvent } from 'react'
import { tokenCreate, tokenKinds } from '@muster/contract/identity'
import { useCreateToken } from '../../api/commands.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { SelectField, TextField } from '../../ui/Field.tsx'
import { Notice } from '../../ui/Notice.tsx'

const kindWords = { person: 'Personal', worker: 'For one worker' } as const

export function NewTokenForm() {
  const [name, setName] = useState('')
  const [kind, setKind] = useState<(typeof tokenKinds)[number]>('person')
  const [problem, setProblem] = useState<string>()
  const creating = useCreateToken()

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const parsed = tokenCreate.safeParse({ name, kind })
    setProblem(parsed.success ? undefined : 'Give the token a name of at most 64 characters.')
    if (parsed.success) creating.mutate({ name, kind }, { onSuccess: () => setName('') })
  }

  return (
    <div className="grid gap-3">
      <form onSubmit={submit} noValidate className="flex flex-wrap items-end gap-2">
        <div className="min-w-40 flex-1">
          <TextField
            label="Name"
            value={name}
            error={problem}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <SelectField
          label="Kind"
          value={kind}
          onChange={(event) => setKind(tokenKinds.find((known) => known === event.target.value) ?? 'person')}
        >
          {tokenKinds.map((known) => (
            <option key={known} value={known}>
              {kindWords[known]}
            </option>
          ))}
        </SelectField>
        <Button type="submit" busy={creating.isPending}>
          Create token
        </Button>
      </form>
      {creating.error !== null && <ErrorView error={creating.error} />}
      {creating.data !== undefined && (
        <Notice tone="ok" title={`${creating.data.name}: copy the token now, it is not shown again.`}>
          <span className="flex items-center gap-1">
            <code aria-label="Token" className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">
              {creating.data.secret}
            </code>
            <CopyButton text={creating.data.secret} label="Copy the token" />
          </span>
        </Notice>
      )}
    </div>
  )
}
