import type { ReactNode } from 'react'
import { Icon } from './Icon.tsx'

type DisclosureProps = {
  summary: ReactNode
  open?: boolean
  onToggle?: (open: boolean) => void
  children: ReactNode
}

export function Disclosure({ summary, open = false, onToggle, children }: DisclosureProps) {
  return (
    <details open={open} onToggle={(event) => onToggle?.(event.currentTarget.open)} className="group">
      <summary className="flex min-h-9 py-1.5 list-none items-center gap-2 px-3.5 text-[0.8125rem] -outline-offset-2 hover:bg-hover pointer-coarse:min-h-11">
        <Icon name="chevron" className="text-muted transition-transform group-open:rotate-90" />
        <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-2">{summary}</div>
      </summary>
      {children}
    </details>
  )
}
