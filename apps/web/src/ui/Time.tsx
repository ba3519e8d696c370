import { useNow } from './clock.ts'
import { ageText, dateText, durationText, tookText } from './time-text.ts'

export function Age({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={dateText(at)}>
      {ageText(now - Date.parse(at))}
    </time>
  )
}

/** Time between two moments; ticks while there is no end. */
export function Elapsed({ from, to }: { from: string; to: string | null }) {
  return to === null ? <Ticking from={from} /> : <>{tookText(Date.parse(to) - Date.parse(from))}</>
}

function Ticking({ from }: { from: string }) {
  const now = useNow()
  return <span role="timer">{durationText(now - Date.parse(from))}</span>
}

export function Until({ at }: { at: string }) {
  const now = useNow()
  const left = Date.parse(at) - now
  return (
    <time dateTime={at} title={dateText(at)}>
      {left > 0 ? `in ${durationText(left)}` : `${durationText(-left)} ago`}
    </time>
  )
}
