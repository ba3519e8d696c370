import { errorText } from '../api/client.ts'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'

/** A failure where content should be: what happened, what helps, and a way to try again. */
export function ErrorView({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { message, hint, requestId } = errorText(error)
  return (
    <Notice
      tone="bad"
      title={message}
      action={
        onRetry !== undefined && (
          <Button icon="retry" onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <p>{hint}</p>
      {requestId !== undefined && <p className="text-xs text-muted">Request {requestId}</p>}
    </Notice>
  )
}
