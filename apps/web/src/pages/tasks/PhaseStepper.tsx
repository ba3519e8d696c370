import { isTerminal, runPhases } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { phaseWords } from '../../components/state-words.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Elapsed } from '../../ui/Time.tsx'
import { knownPhase } from './phase-text.ts'

/** How far the run has come. Gone once the task has ended: then the ending says more. */
export function PhaseStepper({ task }: { task: Task }) {
  if (isTerminal(task.state)) return null
  const phase = knownPhase(task.phase)
  const current = phase === undefined ? -1 : runPhases.indexOf(phase)
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 rounded-lg border border-edge bg-panel px-3.5 py-2 text-[0.8125rem] shadow-panel">
      <ol aria-label="Phases of the run" className="flex flex-wrap items-center gap-x-2 gap-y-1">
        {runPhases.map((name, index) => {
          const past = index < current
          const now = index === current
          return (
            <li key={name} aria-current={now ? 'step' : undefined} className="flex items-center gap-2">
              {index > 0 && <span aria-hidden="true" className="w-4 border-t border-control max-sm:hidden" />}
              <span
                className={`inline-flex items-center gap-1.5 ${now ? 'font-semibold text-busy' : past ? 'text-ok' : 'text-muted'}`}
              >
                {past ? <Icon name="check" /> : <Dot now={now} />}
                {phaseWords[name]}
                <span className="sr-only">{past ? 'finished' : now ? 'now' : 'to come'}</span>
              </span>
            </li>
          )
        })}
      </ol>
      <span className="ml-auto text-muted">
        {task.startedAt === null ? (
          <>
            Waiting for <Elapsed from={task.createdAt} to={null} />
          </>
        ) : (
          <Elapsed from={task.startedAt} to={null} />
        )}
      </span>
    </div>
  )
}

function Dot({ now }: { now: boolean }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16" className={`size-4 ${now ? 'animate-pulse' : ''}`}>
      <circle
        cx="8"
        cy="8"
        r="4"
        fill={now ? 'currentColor' : 'none'}
        stroke="currentColor"
        strokeWidth="1.5"
      />
    </svg>
  )
}
