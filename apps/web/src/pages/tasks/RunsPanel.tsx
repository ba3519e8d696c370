import type { Run } from '@muster/contract/runs'
import { endingWords } from '../../components/state-words.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Elapsed } from '../../ui/Time.tsx'
import { phaseText } from './phase-text.ts'

export function RunsPanel({ runs }: { runs: Run[] }) {
  return (
    <Panel title="Runs">
      {runs.length === 0 ? (
        <p className="px-3.5 py-3 text-[0.8125rem] text-muted">No worker has taken this task yet.</p>
      ) : (
        <ul className="divide-y divide-edge">
          {runs.map((run) => (
            <li key={run.id} className="grid gap-0.5 px-3.5 py-2 text-[0.8125rem]">
              <div className="flex flex-wrap items-center gap-x-2">
                <span className="font-medium">Attempt {run.attempt}</span>
                <RunEnding run={run} />
                <span className="ml-auto text-xs text-muted">
                  <Elapsed from={run.startedAt} to={run.endedAt} />
                </span>
              </div>
              <p className="text-xs text-muted [overflow-wrap:anywhere]">
                {run.agent} on {run.worker}, {run.wall} wall
                {run.exitCode !== null && `, exit code ${run.exitCode}`}
              </p>
              {run.reason !== null && <p className="text-xs [overflow-wrap:anywhere]">{run.reason}</p>}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function RunEnding({ run }: { run: Run }) {
  if (run.ending === null) return <span className="text-busy">{phaseText(run.phase) || 'Assigned'}</span>
  const good = run.ending === 'verified'
  return (
    <span
      className={`inline-flex items-center gap-1 ${good ? 'text-ok' : run.ending === 'cancelled' ? 'text-muted' : 'text-bad'}`}
    >
      <Icon name={good ? 'check' : run.ending === 'cancelled' ? 'stop' : 'cross'} />
      {endingWords[run.ending]}
    </span>
  )
}
