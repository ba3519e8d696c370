import type { TaskState } from '@muster/contract/task-states'

/** One shape per state, so that a column of them can be read without its colours. */
export function StateIcon({ state }: { state: TaskState }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16" className="size-4 shrink-0" fill="none" stroke="currentColor">
      {shapes[state]}
    </svg>
  )
}

const stroke = { strokeWidth: 1.6, strokeLinecap: 'round', strokeLinejoin: 'round' } as const
const ring = <circle cx="8" cy="8" r="5.7" {...stroke} />

const shapes: Record<TaskState, React.ReactNode> = {
  draft: <circle cx="8" cy="8" r="5.7" {...stroke} strokeDasharray="0.1 3.47" />,
  queued: <circle cx="8" cy="8" r="5.7" {...stroke} strokeDasharray="3.2 2.77" />,
  waiting: (
    <>
      {ring}
      <path d="M8 4.8V8l2.1 1.5" {...stroke} />
    </>
  ),
  assigned: (
    <>
      {ring}
      <path d="M8 5a3 3 0 0 1 0 6z" fill="currentColor" stroke="none" />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="5.7" {...stroke} opacity="0.3" />
      <path d="M8 2.3A5.7 5.7 0 0 1 13.7 8" {...stroke} className="origin-center animate-spin" />
      <circle cx="8" cy="8" r="1.9" fill="currentColor" stroke="none" />
    </>
  ),
  verifying: (
    <>
      <circle cx="8" cy="8" r="5.7" {...stroke} opacity="0.3" />
      <path d="M8 2.3A5.7 5.7 0 0 1 13.7 8" {...stroke} className="origin-center animate-spin" />
      <path d="m5.7 8.2 1.6 1.6 3-3.4" {...stroke} />
    </>
  ),
  review: (
    <>
      {ring}
      <circle cx="8" cy="6.6" r="1.5" fill="currentColor" stroke="none" />
      <path d="M5.2 11.3c.7-2.3 4.9-2.3 5.6 0" {...stroke} />
    </>
  ),
  done: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" stroke="none" />
      <path d="m5 8.2 2.1 2.1 4-4.4" {...stroke} stroke="var(--panel)" strokeWidth={1.8} />
    </>
  ),
  dead: (
    <>
      <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z" fill="currentColor" stroke="none" />
      <path d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6" {...stroke} stroke="var(--panel)" strokeWidth={1.8} />
    </>
  ),
  cancelled: (
    <>
      {ring}
      <path d="m4.2 11.8 7.6-7.6" {...stroke} />
    </>
  ),
}
