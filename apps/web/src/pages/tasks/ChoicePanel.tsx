import type { Decision } from '@muster/contract/tasks'
import { Icon } from '../../ui/Icon.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Age } from '../../ui/Time.tsx'

/** Why the last run went where it went, in the words of the code that decided it. */
export function ChoicePanel({ decision }: { decision: Decision | null }) {
  if (decision === null) return null
  return (
    <Panel
      title="Chosen because"
      aside={
        <span className="pr-1.5 text-xs text-muted">
          <Age at={decision.at} />
        </span>
      }
    >
      <div className="grid gap-2 px-3.5 py-2.5 text-[0.8125rem] [overflow-wrap:anywhere]">
        <p>{decision.reason}</p>
        <ul aria-label="Candidates" className="grid gap-1">
          {decision.candidates.map(({ worker, free, fits, why }) => (
            <li key={worker} className="grid grid-cols-[1rem_minmax(0,1fr)] gap-x-1.5 text-xs">
              <Icon name={fits ? 'check' : 'cross'} className={fits ? 'text-ok' : 'text-muted'} />
              <span>
                <span className="font-medium">{worker}</span>{' '}
                <span className="text-muted">
                  {free} free: {why}
                </span>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  )
}
