import { useQuery } from '@tanstack/react-query'
import type { Step } from '@muster/contract/loop'
import type { Task } from '@muster/contract/tasks'
import { isTerminal } from '@muster/contract/task-states'
import { stepsQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Scroller } from '../../ui/Scroller.tsx'
import { tookText } from '../../ui/time-text.ts'
import { stepText, stepWho } from './step-text.ts'

/** What the agent of a task did, step by step, and what its model says at this moment. */
export function StepsPanel({ task, saying }: { task: Task; saying: string }) {
  const steps = useQuery(stepsQuery(task.short))
  const items = steps.data?.items ?? []
  return (
    <Panel title="Steps" aside={<Aside task={task} count={items.length} />}>
      {steps.isPending && <Loading label="Loading the steps" lines={3} />}
      {steps.error !== null && (
        <div className="p-3">
          <ErrorView error={steps.error} onRetry={() => void steps.refetch()} />
        </div>
      )}
      {steps.data !== undefined && items.length === 0 && saying === '' && (
        <p className="px-3.5 py-4 text-[0.8125rem] text-muted">
          {isTerminal(task.state) ? 'It took no step.' : 'Steps appear here once its model is asked.'}
        </p>
      )}
      <Scroller label="Steps, oldest first" className="max-h-[32rem]">
        <ol className="py-1.5">
          {items.map((step) => (
            <StepRow key={step.seq} step={step} />
          ))}
        </ol>
      </Scroller>
      {saying !== '' && !isTerminal(task.state) && <Saying text={saying} />}
    </Panel>
  )
}

function Aside({ task, count }: { task: Task; count: number }) {
  const chosen = task.assigned?.model
  return (
    <span className="flex flex-wrap gap-x-2 pr-1.5 text-xs text-muted">
      {task.practice && <span className="font-medium text-busy">practice model: plays a script</span>}
      {chosen != null && !task.practice && <span>{`${chosen.name} at ${chosen.endpoint}`}</span>}
      {count > 0 && <span>{`${count} ${count === 1 ? 'step' : 'steps'}`}</span>}
    </span>
  )
}

function StepRow({ step }: { step: Step }) {
  const { seq, success, code, usage, ms } = step
  return (
    <li className="grid grid-cols-[2rem_1rem_minmax(0,1fr)] gap-x-2 px-3.5 py-1 text-[0.8125rem]">
      <span className="text-right text-xs text-muted tabular-nums">{seq}</span>
      <Icon name={success ? 'check' : 'cross'} className={success ? 'text-ok' : 'text-bad'} />
      <div className="min-w-0 [overflow-wrap:anywhere]">
        <span className="font-medium">{stepWho(step)}</span>{' '}
        <span className={step.kind === 'tool' ? 'font-mono text-xs' : ''}>{stepText(step)}</span>
        <p className="text-xs text-muted">
          {[
            ...(success ? [] : [code ?? 'failed']),
            ...(step.kind === 'tool' && step.result !== '' ? [step.result] : []),
            ...(usage === null ? [] : [tokensText(usage)]),
            tookText(ms),
          ].join(' · ')}
        </p>
      </div>
    </li>
  )
}

function tokensText({ inputTokens, outputTokens, estimated }: NonNullable<Step['usage']>): string {
  const about = estimated ? 'about ' : ''
  return `${about}${inputTokens.toLocaleString('en')} tokens in, ${outputTokens.toLocaleString('en')} out`
}

// The end of it is what is new; the whole of it is in the step that it becomes.
const shownChars = 1_500

function Saying({ text }: { text: string }) {
  return (
    <div className="border-t border-edge px-3.5 py-2 text-[0.8125rem]" aria-live="off">
      <p className="text-xs text-muted">The model says</p>
      <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{text.slice(-shownChars)}</p>
    </div>
  )
}
