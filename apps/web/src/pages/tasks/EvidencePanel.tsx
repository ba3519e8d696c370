import type { CheckResult, Report } from '@muster/contract/checks'
import type { Run } from '@muster/contract/runs'
import { isTerminal } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { CheckBadge } from '../../components/CheckBadge.tsx'
import { withoutAnsi } from '../../ui/ansi.ts'
import { Disclosure } from '../../ui/Disclosure.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Scroller } from '../../ui/Scroller.tsx'
import { millisecondsText } from '../../ui/time-text.ts'
import { ProofNotes } from './ProofNotes.tsx'

/** What the platform found when it executed the checks itself; before that, what it is going to execute. */
export function EvidencePanel({ task, runs }: { task: Task; runs: Run[] }) {
  const run = runs.find((candidate) => candidate.report !== null)
  const report = run?.report ?? null
  const results = report?.checks ?? task.checks
  const proof = report?.proof ?? task.proof
  return (
    <Panel title="Evidence" aside={report !== null && <Overall report={report} />}>
      {results.length > 0 ? (
        <ul aria-label="Checks" className="divide-y divide-edge">
          {results.map((result, index) => (
            <li key={index}>
              <Result result={result} />
            </li>
          ))}
        </ul>
      ) : (
        <Declared task={task} />
      )}
      {proof !== null && <ProofNotes proof={proof} />}
      {report !== null && run !== undefined && (
        <p className="border-t border-edge px-3.5 py-2 text-xs text-muted">
          Attempt {run.attempt}: run on commit <code className="font-mono">{report.commit.slice(0, 10)}</code>
          , made from <code className="font-mono">{report.base.slice(0, 10)}</code>. {changedText(report)}
        </p>
      )}
    </Panel>
  )
}

function Overall({ report }: { report: Report }) {
  const { pass, fail, error, timeout } = report.totals
  return (
    <span className="flex flex-wrap items-center gap-x-3 pr-1.5 text-[0.8125rem]">
      <CheckBadge outcome={report.overall} />
      <span className="text-xs text-muted">
        {pass} of {pass + fail + error + timeout} passed · {millisecondsText(report.ms)}
      </span>
    </span>
  )
}

function Result({ result }: { result: CheckResult }) {
  const summary = (
    <>
      <span className="inline-flex w-24">
        <CheckBadge outcome={result.status} />
      </span>
      <span className="text-muted">{result.kind}</span>
      <code className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">{result.target}</code>
      <span className="ml-auto text-xs whitespace-nowrap text-muted">{millisecondsText(result.ms)}</span>
      {result.reason !== undefined && result.status !== 'pass' && (
        <span className="w-full pl-26 text-xs text-muted [overflow-wrap:anywhere] max-sm:pl-0">
          {result.reason}
        </span>
      )}
    </>
  )
  const output = withoutAnsi(result.output)
  return (
    <Disclosure summary={summary} open={result.status !== 'pass' && output !== ''}>
      {output === '' ? (
        <p className="px-3.5 pb-2 pl-9.5 text-xs text-muted">No output.</p>
      ) : (
        <Scroller
          label={`Output of ${result.kind} ${result.target}`}
          className="max-h-80 border-t border-edge bg-sunken px-3.5 py-2"
        >
          <pre className="font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">{output}</pre>
        </Scroller>
      )}
    </Disclosure>
  )
}

function Declared({ task }: { task: Task }) {
  if (task.declaredChecks.length === 0) {
    return (
      <p className="px-3.5 py-4 text-[0.8125rem] text-muted">
        {isTerminal(task.state) ? 'No check was run.' : 'This task names no checks.'}
      </p>
    )
  }
  return (
    <ul aria-label="Checks" className="divide-y divide-edge">
      {task.declaredChecks.map((check, index) => (
        <li key={index} className="flex min-h-9 flex-wrap items-center gap-x-2 px-3.5 text-[0.8125rem]">
          <CheckBadge outcome="pending" />
          <span className="text-muted">{check.kind}</span>
          <code className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">{check.target}</code>
        </li>
      ))}
    </ul>
  )
}

function changedText({ changed }: Report): string {
  return `${changed.files} ${changed.files === 1 ? 'file' : 'files'} changed: ${changed.insertions} added, ${changed.deletions} removed ${changed.insertions + changed.deletions === 1 ? 'line' : 'lines'}.`
}
