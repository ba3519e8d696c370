import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon.tsx'

const tones = {
  bad: { look: 'bg-bad-soft text-bad', icon: 'cross', word: 'Error' },
  warn: { look: 'bg-warn-soft text-warn', icon: 'warning', word: 'Warning' },
  ok: { look: 'bg-ok-soft text-ok', icon: 'check', word: 'Done' },
} as const satisfies Record<string, { look: string; icon: IconName; word: string }>

type NoticeProps = { tone: keyof typeof tones; title: ReactNode; children?: ReactNode; action?: ReactNode }

/** Something a person should know now: what it is, and what to do next. */
export function Notice({ tone, title, children, action }: NoticeProps) {
  const { look, icon, word } = tones[tone]
  return (
    <div
      role={tone === 'ok' ? 'status' : 'alert'}
      className={`flex items-start gap-2.5 rounded-md px-3 py-2 text-[0.8125rem] ${look}`}
    >
      <Icon name={icon} className="mt-0.5" />
      <span className="sr-only">{word}: </span>
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <p className="font-medium">{title}</p>
        {children !== undefined && <div className="text-text">{children}</div>}
      </div>
      {action}
    </div>
  )
}
