import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { tasksQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { FleetWarnings } from '../../components/FleetStrip.tsx'
import { usePageTitle } from '../../components/page-title.ts'
import type { TaskFilter } from '../../paths.ts'
import { Button } from '../../ui/Button.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Kbd } from '../../ui/Kbd.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { DeadBar } from './DeadBar.tsx'
import { NoTasks } from './NoTasks.tsx'
import { QueueStrip } from './QueueStrip.tsx'
import { TaskListHead } from './TaskListHead.tsx'
import { focusRow, TaskTable } from './TaskTable.tsx'

export function TaskListPage({ filter }: { filter: TaskFilter }) {
  usePageTitle('Tasks')
  useHotkeys({ j: () => focusRow(1), k: () => focusRow(-1) })
  const tasks = useInfiniteQuery(tasksQuery(filter))
  const rows = useMemo(() => tasks.data?.pages.flatMap((page) => page.items) ?? [], [tasks.data])

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <TaskListHead filter={filter} />
      <QueueStrip />
      <FleetWarnings />
      {filter.state === 'dead' && tasks.isSuccess && (
        <DeadBar key={filter.repo ?? ''} count={tasks.hasNextPage ? null : rows.length} repo={filter.repo} />
      )}
      {tasks.error !== null && <ErrorView error={tasks.error} onRetry={() => void tasks.refetch()} />}
      {tasks.isPending && <Loading label="Loading tasks" lines={10} />}
      {tasks.isSuccess && rows.length === 0 && <NoTasks filter={filter} />}
      {rows.length > 0 && <TaskTable rows={rows} />}
      {rows.length > 0 && (
        <div className="flex items-center gap-3 text-[0.8125rem] text-muted">
          {tasks.hasNextPage && (
            <Button busy={tasks.isFetchingNextPage} onClick={() => void tasks.fetchNextPage()}>
              Load more
            </Button>
          )}
          <span>
            {rows.length} {rows.length === 1 ? 'task' : 'tasks'}
            {tasks.hasNextPage ? ', older ones not loaded' : ''}
          </span>
          <span className="ml-auto hidden items-center gap-1.5 md:inline-flex">
            <Kbd>j</Kbd>
            <Kbd>k</Kbd> move <Kbd>Enter</Kbd> open <Kbd>c</Kbd> new <Kbd>?</Kbd> all keys
          </span>
        </div>
      )}
    </div>
  )
}
