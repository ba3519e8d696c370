import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { isTerminal } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { runsQuery } from '../../api/queries.ts'
import { ChoicePanel } from './ChoicePanel.tsx'
import { DiffPanel } from './DiffPanel.tsx'
import { EvidencePanel } from './EvidencePanel.tsx'
import { useLiveOutput } from './live-output.ts'
import { OutputPanel } from './OutputPanel.tsx'
import { PhaseStepper } from './PhaseStepper.tsx'
import { RunsPanel } from './RunsPanel.tsx'
import { StepsPanel } from './StepsPanel.tsx'
import { TaskFacts } from './TaskFacts.tsx'
import { TaskHeader } from './TaskHeader.tsx'
import { TaskOrder } from './TaskOrder.tsx'
import { HistoryPanel } from './HistoryPanel.tsx'

/** Everything there is to see of one task. */
export function TaskView({ task }: { task: Task }) {
  const runs = useQuery(runsQuery(task.short)).data?.items ?? []
  // Decided once: a task that ends while it is watched must not pull the output from under the eye.
  const [watched] = useState(!isTerminal(task.state))
  const live = useLiveOutput(task.id)
  const output = <OutputPanel key="output" task={task} runs={runs} live={live} />
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <TaskHeader task={task} />
      <PhaseStepper task={task} />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          {task.prompt !== null && <StepsPanel task={task} saying={live.saying} />}
          {watched && output}
          <EvidencePanel task={task} runs={runs} />
          <DiffPanel task={task} />
          {!watched && output}
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <TaskFacts task={task} />
          <ChoicePanel decision={task.assigned} />
          <TaskOrder task={task} />
          <RunsPanel runs={runs} />
          <HistoryPanel task={task} />
        </div>
      </div>
    </div>
  )
}
