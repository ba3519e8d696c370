import type { TaskState } from '@muster/contract/task-states'
import { StateIcon } from './StateIcon.tsx'
import { stateWords, toneSurface, toneText } from './state-words.ts'

export function StateBadge({ state, filled = false }: { state: TaskState; filled?: boolean }) {
  const { word, tone, means } = stateWords[state]
  const look = filled ? `rounded-full py-0.5 pr-2.5 pl-1.5 ${toneSurface[tone]}` : toneText[tone]
  return (
    <span
      title={means}
      className={`inline-flex items-center gap-1.5 text-[0.8125rem] font-medium whitespace-nowrap ${look}`}
    >
      <StateIcon state={state} />
      {word}
    </span>
  )
}
