import type { Report } from '@muster/contract/checks'
import { Icon, type IconName } from '../ui/Icon.tsx'
import { toneText, type Tone } from './state-words.ts'

export type CheckOutcome = Report['overall'] | 'pending'

const looks: Record<CheckOutcome, { word: string; icon: IconName; tone: Tone }> = {
  pass: { word: 'Passed', icon: 'check', tone: 'ok' },
  auto_pass: { word: 'Passed without checks', icon: 'check', tone: 'warn' },
  fail: { word: 'Failed', icon: 'cross', tone: 'bad' },
  error: { word: 'Error', icon: 'warning', tone: 'bad' },
  timeout: { word: 'Timed out', icon: 'stop', tone: 'bad' },
  skip: { word: 'Skipped', icon: 'pause', tone: 'quiet' },
  pending: { word: 'Not run yet', icon: 'pause', tone: 'quiet' },
}

export function CheckBadge({ outcome }: { outcome: CheckOutcome }) {
  const { word, icon, tone } = looks[outcome]
  return (
    <span
      className={`inline-flex shrink-0 items-center gap-1.5 font-medium whitespace-nowrap ${toneText[tone]}`}
    >
      <Icon name={icon} />
      {word}
    </span>
  )
}
