import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { reposQuery } from '../../api/queries.ts'
import { paths, type TaskFilter } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { buttonClass } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'

export function NoTasks({ filter }: { filter: TaskFilter }) {
  const repos = useQuery(reposQuery)
  if (filter.state !== undefined || filter.repo !== undefined) {
    return (
      <Box title="No task matches this filter">
        <Link href={paths.tasks()} className={buttonClass()}>
          Show all tasks
        </Link>
      </Box>
    )
  }
  const repo = repos.data?.items[0]?.name
  return (
    <Box title="No tasks yet">
      <p className="max-w-prose text-muted">
        A task is a command that runs behind a wall in a fresh clone of a repository. What it changed reaches
        a branch only after the checks you name have passed.
      </p>
      {repo === undefined && (
        <Command step="Register a repository" text="npx muster repo add demo /path/to/repository" />
      )}
      <Command
        step="Hand in a task"
        text={`npx muster task add --repo ${repo ?? 'demo'} --title "Write a greeting" --run 'echo hello > hello.txt' --check file_exists:hello.txt`}
      />
      <Link href={paths.newTask()} className={buttonClass('primary')}>
        Or fill in the form
      </Link>
    </Box>
  )
}

function Box({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="grid justify-items-start gap-3 rounded-lg border border-dashed border-control px-6 py-10">
      <h2 className="font-semibold">{title}</h2>
      {children}
    </div>
  )
}

function Command({ step, text }: { step: string; text: string }) {
  return (
    <div className="grid max-w-full gap-1">
      <p className="text-[0.8125rem] font-medium">{step}</p>
      <div className="flex max-w-full items-start gap-1 rounded-md border border-edge bg-sunken py-1 pr-1 pl-3">
        <code className="min-w-0 flex-1 py-1 font-mono text-xs [overflow-wrap:anywhere]">{text}</code>
        <CopyButton text={text} label={`Copy the command: ${step}`} />
      </div>
    </div>
  )
}
