import type { ReactNode } from 'react'
import { isTerminal } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Age, Elapsed, Until } from '../../ui/Time.tsx'
import { durationText } from '../../ui/time-text.ts'

export function TaskFacts({ task }: { task: Task }) {
  return (
    <Panel title="Facts" aside={<CopyableCode text={task.short} label="Copy the id" />}>
      <dl className="grid grid-cols-[6rem_minmax(0,1fr)] items-center gap-x-3 gap-y-1 px-3.5 py-2.5 text-[0.8125rem]">
        <Fact name="Repository">{task.repo}</Fact>
        {task.branch !== null && (
          <Fact name="Branch">
            <CopyableCode text={task.branch} label="Copy the branch" />
          </Fact>
        )}
        {task.commit !== null && (
          <Fact name="Commit">
            <CopyableCode text={task.commit} shown={task.commit.slice(0, 10)} label="Copy the commit" />
          </Fact>
        )}
        <Fact name="Worker">{task.worker ?? <span className="text-muted">none yet</span>}</Fact>
        <Fact name="Wall">
          {task.wall}, network {task.network}
        </Fact>
        <Fact name="Tries">{triesText(task)}</Fact>
        {task.notBefore !== null && task.state === 'queued' && (
          <Fact name={task.failures > 0 ? 'Next try' : 'Not before'}>
            <Until at={task.notBefore} />
          </Fact>
        )}
        {task.onlyWorker !== null && <Fact name="Only on">{task.onlyWorker}</Fact>}
        {task.needs.length > 0 && <Fact name="Needs">{task.needs.join(', ')}</Fact>}
        {task.completeBy !== null && !isTerminal(task.state) && (
          <Fact name="Complete by">
            <Until at={task.completeBy} />
          </Fact>
        )}
        {task.expiresAt !== null && task.state === 'queued' && (
          <Fact name="Expires">
            <Until at={task.expiresAt} />
          </Fact>
        )}
        <Fact name="Lane">{task.lane}</Fact>
        <Fact name="Timeout">{durationText(task.timeoutMs).replace(/ 0+[ms]$/, '')}</Fact>
        {task.deadlineAt !== null && !isTerminal(task.state) && (
          <Fact name="Deadline">
            <Until at={task.deadlineAt} />
          </Fact>
        )}
        {task.startedAt !== null && (
          <Fact name={task.endedAt === null ? 'Running for' : 'Took'}>
            <Elapsed from={task.startedAt} to={task.endedAt} />
          </Fact>
        )}
        <Fact name="Created">
          <Age at={task.createdAt} /> by {task.createdBy}
        </Fact>
      </dl>
    </Panel>
  )
}

/** Runs so far. Those that a lost worker or a person cut short cost no retry. */
function triesText({ attempt, failures, retries }: Task): string {
  const runs = attempt === 0 ? 'none yet' : String(attempt)
  return retries === 0 ? `${runs}; a failed one is final` : `${runs}; ${failures} of ${retries} retries used`
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="flex min-h-7 min-w-0 flex-wrap items-center gap-x-1 [overflow-wrap:anywhere]">
        {children}
      </dd>
    </>
  )
}

function CopyableCode({ text, shown = text, label }: { text: string; shown?: string; label: string }) {
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-1">
      <code className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]" title={text}>
        {shown}
      </code>
      <CopyButton text={text} label={label} />
    </span>
  )
}
