import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { meQuery } from '../../api/queries.ts'
import { usePageTitle } from '../../components/page-title.ts'
import { paths } from '../../paths.ts'
import { goBack } from '../../router.tsx'
import { Button } from '../../ui/Button.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Notice } from '../../ui/Notice.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { SetPasswordForm } from '../identity/SetPasswordForm.tsx'
import { TokensPanel } from './TokensPanel.tsx'

export function SettingsPage() {
  usePageTitle('Settings')
  useHotkeys({ Escape: () => goBack(paths.tasks()) })
  return (
    <div className="mx-auto grid max-w-4xl grid-cols-[minmax(0,1fr)] gap-4">
      <h1 className="text-lg font-semibold">Settings</h1>
      <TokensPanel />
      <PasswordPanel />
    </div>
  )
}

function PasswordPanel() {
  const me = useQuery(meQuery)
  const [step, setStep] = useState<'closed' | 'open' | 'saved'>('closed')
  if (me.data === undefined) return null
  const { hasPassword, actor, workspace } = me.data
  return (
    <Panel title="Sign-in">
      <div className="grid max-w-sm gap-3 p-3.5 text-[0.8125rem]">
        <p>
          Signed in as <span className="font-medium">{actor}</span> in {workspace.name}.{' '}
          {hasPassword ? 'A password is set.' : 'No password is set; a new sign-in needs a one-time link.'}
        </p>
        {step === 'saved' && <Notice tone="ok" title="The password was set." />}
        {step === 'open' ? (
          <SetPasswordForm
            hasPassword={hasPassword}
            onDone={() => setStep('saved')}
            onSkip={() => setStep('closed')}
          />
        ) : (
          <Button onClick={() => setStep('open')} className="justify-self-start">
            {hasPassword ? 'Change password' : 'Set a password'}
          </Button>
        )}
      </div>
    </Panel>
  )
}
