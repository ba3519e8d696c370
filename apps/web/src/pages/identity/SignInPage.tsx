import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { useSignIn } from '../../api/commands.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Logo } from '../../components/Logo.tsx'
import { usePageTitle } from '../../components/page-title.ts'
import { navigate, useAddress } from '../../router.tsx'
import { Button } from '../../ui/Button.tsx'
import { TextField } from '../../ui/Field.tsx'
import { SetPasswordForm } from './SetPasswordForm.tsx'

/** Signs in by the one-time link in the fragment, which browsers never send anywhere, or by the password. */
export function SignInPage({ next }: { next: string }) {
  usePageTitle('Sign in')
  const { hash } = useAddress()
  const signIn = useSignIn()
  const [offerPassword, setOfferPassword] = useState(false)
  const enter = () => navigate(next, { replace: true })

  const { mutate } = signIn
  useEffect(() => {
    const link = takeLink(hash)
    if (link === null) return
    mutate(
      { link },
      { onSuccess: (me) => (me.hasPassword ? navigate(next, { replace: true }) : setOfferPassword(true)) },
    )
  }, [hash, mutate, next])

  if (offerPassword) {
    return (
      <Card title="Set a password">
        <p className="text-muted">
          You are signed in. With a password you can sign in again without a new link; without one, run{' '}
          <code className="font-mono text-text">npx muster sign-in</code>.
        </p>
        <SetPasswordForm onDone={enter} onSkip={enter} />
      </Card>
    )
  }
  return (
    <Card title="Sign in to Muster">
      {signIn.error !== null && <ErrorView error={signIn.error} />}
      <PasswordForm
        busy={signIn.isPending}
        onSubmit={(password) => mutate({ password }, { onSuccess: enter })}
      />
      <p className="border-t border-edge pt-3 text-[0.8125rem] text-muted">
        No password yet, or forgotten? On the machine of the hub, run{' '}
        <code className="font-mono whitespace-nowrap text-text">npx muster sign-in</code> and open the link it
        prints.
      </p>
    </Card>
  )
}

/** Reads the secret once and takes it out of the address and the history before anything else sees it. */
function takeLink(hash: string): string | null {
  const link = new URLSearchParams(hash.slice(1)).get('link')
  if (link !== null) history.replaceState(history.state, '', location.pathname + location.search)
  return link
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="grid w-full max-w-sm gap-4 rounded-xl border border-edge bg-panel p-6 shadow-panel">
        <Logo large />
        <h1 className="text-lg font-semibold">{title}</h1>
        {children}
      </div>
    </main>
  )
}

function PasswordForm({ busy, onSubmit }: { busy: boolean; onSubmit: (password: string) => void }) {
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit(password)
  }
  return (
    <form onSubmit={submit} className="grid gap-3">
      {/* Tells a password manager whose password this is; there is one person. */}
      <input type="text" name="username" autoComplete="username" value="owner" readOnly hidden />
      <TextField
        label="Password"
        type="password"
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button type="submit" look="primary" busy={busy}>
        {busy ? 'Signing in' : 'Sign in'}
      </Button>
    </form>
  )
}
