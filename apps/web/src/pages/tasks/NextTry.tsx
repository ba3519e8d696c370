import type { TaskRow } from '@muster/contract/tasks'
import { useNow } from '../../ui/clock.ts'
import { durationText } from '../../ui/time-text.ts'

/** How long a queued task still stays away from the workers; nothing when it does not. */
export function NextTry({ row }: { row: Pick<TaskRow, 'state' | 'notBefore' | 'failures'> }) {
  if (row.state !== 'queued' || row.notBefore === null) return null
  return <Counting at={row.notBefore} what={row.failures > 0 ? 'next try' : 'starts'} />
}

function Counting({ at, what }: { at: string; what: string }) {
  const left = Date.parse(at) - useNow()
  return left <= 0 ? null : <span>{` · ${what} in ${durationText(left)}`}</span>
}
