import type { ReactNode } from 'react'
import type { Task } from '@muster/contract/tasks'
import { paths } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { Scroller } from '../../ui/Scroller.tsx'
import { Panel } from '../../ui/Panel.tsx'

/** What was handed in, as it was written. */
export function TaskOrder({ task }: { task: Task }) {
  return (
    <Panel title="Order">
      <div className="grid gap-2.5 px-3.5 py-3 text-[0.8125rem]">
        {task.description !== null && task.description !== '' && (
          <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{task.description}</p>
        )}
        {task.run !== null && (
          <Part name="Command">
            <Code label="Command" text={task.run} />
          </Part>
        )}
        {task.prompt !== null && (
          <Part name="Prompt">
            <Code label="Prompt" text={task.prompt} />
          </Part>
        )}
        {task.mayChange.length > 0 && (
          <Part name="May change">
            <Code label="May change" text={task.mayChange.join('\n')} />
          </Part>
        )}
        {task.after.length > 0 && (
          <Part name="After">
            <ul>
              {task.after.map((id) => (
                <li key={id}>
                  <Link href={paths.task(id.slice(-8))} className="font-mono text-xs text-accent underline">
                    {id.slice(-8)}
                  </Link>
                </li>
              ))}
            </ul>
          </Part>
        )}
        {task.allowEmpty && <p className="text-muted">A run that changes nothing is accepted.</p>}
      </div>
    </Panel>
  )
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid gap-1">
      <h3 className="text-xs text-muted">{name}</h3>
      {children}
    </div>
  )
}

function Code({ label, text }: { label: string; text: string }) {
  return (
    <Scroller label={label} className="max-h-60 rounded-md bg-sunken px-2.5 py-2">
      <pre className="font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</pre>
    </Scroller>
  )
}
