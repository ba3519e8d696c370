import { useState, type FormEvent } from 'react'
import { passwordSet } from '@muster/contract/identity'
import { useSetPassword } from '../../api/commands.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { TextField } from '../../ui/Field.tsx'

type SetPasswordFormProps = { hasPassword?: boolean; onDone: () => void; onSkip?: () => void }

export function SetPasswordForm({ hasPassword = false, onDone, onSkip }: SetPasswordFormProps) {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<string>()
  const setting = useSetPassword()

  const submit = (event: FormEvent) => {
    event.preventDefault()
    const parsed = passwordSet.safeParse(hasPassword ? { current, password } : { password })
    setProblem(parsed.success ? undefined : 'A password must have at least 12 characters.')
    if (parsed.success)
      setting.mutate(hasPassword ? { current, password } : { password }, { onSuccess: onDone })
  }

  return (
    <form onSubmit={submit} noValidate className="grid gap-3">
      {/* Tells a password manager whose password this is; there is one person. */}
      <input type="text" name="username" autoComplete="username" value="owner" readOnly hidden />
      {setting.error !== null && <ErrorView error={setting.error} />}
      {hasPassword && (
        <TextField
          label="Current password"
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
      )}
      <TextField
        label="New password"
        type="password"
        autoComplete="new-password"
        help="At least 12 characters."
        error={problem}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <div className="flex gap-2">
        <Button type="submit" look="primary" busy={setting.isPending}>
          Set password
        </Button>
        {onSkip !== undefined && (
          <Button look="quiet" onClick={onSkip}>
            Not now
          </Button>
        )}
      </div>
    </form>
  )
}
