import { useState, type FormEvent } from 'react'
import { endpointCreate, endpointKinds, type EndpointKind } from '@muster/contract/models'
import { useAddEndpoint } from '../../api/model-commands.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { SelectField, TextField } from '../../ui/Field.tsx'

const kindWords: Record<EndpointKind, string> = {
  ollama: 'Ollama',
  openai: 'OpenAI-compatible',
  anthropic: 'Anthropic',
}

export function AddEndpointForm() {
  const [name, setName] = useState('')
  const [url, setUrl] = useState('')
  const [kind, setKind] = useState<EndpointKind>('ollama')
  const [problems, setProblems] = useState<Record<string, string>>({})
  const adding = useAddEndpoint()

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const parsed = endpointCreate.safeParse({ name, url, kind })
    setProblems(
      Object.fromEntries((parsed.error?.issues ?? []).map((issue) => [issue.path.join('.'), issue.message])),
    )
    if (!parsed.success) return
    const clear = () => {
      setName('')
      setUrl('')
    }
    adding.mutate({ name, url, kind }, { onSuccess: clear })
  }

  return (
    <form onSubmit={submit} noValidate className="grid gap-3 pt-2">
      {adding.error !== null && <ErrorView error={adding.error} />}
      <TextField
        label="Name"
        value={name}
        error={problems['name']}
        onChange={(event) => setName(event.target.value)}
        placeholder="box-2"
        autoCapitalize="off"
        spellCheck={false}
      />
      <SelectField
        label="Kind"
        value={kind}
        onChange={(event) => setKind(endpointKinds.find((each) => each === event.target.value) ?? 'ollama')}
      >
        {endpointKinds.map((each) => (
          <option key={each} value={each}>
            {kindWords[each]}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Address"
        value={url}
        error={problems['url']}
        onChange={(event) => setUrl(event.target.value)}
        placeholder="http://box-2:11434"
        help="http or https, without credentials. Nothing is pulled there."
        autoCapitalize="off"
        spellCheck={false}
        className="font-mono"
      />
      <Button type="submit" look="primary" busy={adding.isPending} className="justify-self-start">
        Add endpoint
      </Button>
    </form>
  )
}
