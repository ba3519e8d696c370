import { useLiveState } from './LiveProvider.tsx'

/** Whether what is on the page is the present. */
export function ConnectionState() {
  const state = useLiveState()
  const live = state === 'open'
  return (
    <output
      className={`inline-flex items-center gap-1.5 px-1 text-[0.8125rem] whitespace-nowrap ${live ? 'text-muted' : 'text-warn'}`}
    >
      <svg aria-hidden="true" viewBox="0 0 8 8" className="size-2">
        {live ? (
          <circle cx="4" cy="4" r="4" className="fill-ok" />
        ) : (
          <circle cx="4" cy="4" r="3" fill="none" stroke="currentColor" strokeWidth="1.6" />
        )}
      </svg>
      {live ? 'Live' : state === 'connecting' ? 'Connecting' : 'Reconnecting'}
    </output>
  )
}
