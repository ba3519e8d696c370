import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Token } from '@muster/contract/identity'
import { useRevokeToken } from '../../api/commands.ts'
import { tokensQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Age, Until } from '../../ui/Time.tsx'
import { NewTokenForm } from './NewTokenForm.tsx'

export function TokensPanel() {
  const tokens = useQuery(tokensQuery)
  const [revoking, setRevoking] = useState<Token>()
  const revoke = useRevokeToken()
  const items = tokens.data?.items.filter((token) => token.revokedAt === null) ?? []
  return (
    <Panel title="Tokens">
      <div className="border-b border-edge p-3.5">
        <NewTokenForm />
      </div>
      {tokens.isPending && <Loading label="Loading tokens" lines={2} />}
      {(tokens.error ?? revoke.error) !== null && (
        <div className="p-3">
          <ErrorView error={tokens.error ?? revoke.error} />
        </div>
      )}
      {tokens.isSuccess && items.length === 0 && (
        <p className="px-3.5 py-3 text-[0.8125rem] text-muted">No tokens yet.</p>
      )}
      <ul aria-label="Tokens" className="divide-y divide-edge">
        {items.map((token) => (
          <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
        ))}
      </ul>
      {revoking !== undefined && (
        <Dialog title={`Revoke ${revoking.name}?`} onClose={() => setRevoking(undefined)}>
          <p>
            Whatever uses this token is refused at once, and its connections are closed. This cannot be
            undone.
          </p>
          <div className="mt-4 flex justify-end gap-2">
            <Button onClick={() => setRevoking(undefined)}>Keep it</Button>
            <Button
              look="danger"
              onClick={() => {
                revoke.mutate(revoking.id)
                setRevoking(undefined)
              }}
            >
              Revoke token
            </Button>
          </div>
        </Dialog>
      )}
    </Panel>
  )
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 px-3.5 py-1.5 text-[0.8125rem]">
      <span className="font-medium">{token.name}</span>
      <span className="text-muted">{token.kind === 'worker' ? 'worker' : 'personal'}</span>
      <span className="ml-auto text-xs text-muted">
        {token.lastUsedAt === null ? (
          'never used'
        ) : (
          <>
            used <Age at={token.lastUsedAt} />
          </>
        )}
        {token.expiresAt !== null && (
          <>
            , ends <Until at={token.expiresAt} />
          </>
        )}
      </span>
      <Button look="quiet" aria-label={`Revoke ${token.name}`} onClick={onRevoke}>
        Revoke
      </Button>
    </li>
  )
}
