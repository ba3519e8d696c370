import { useQuery } from '@tanstack/react-query'
import { isNotFound } from '../../api/client.ts'
import { taskQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { usePageTitle } from '../../components/page-title.ts'
import { paths } from '../../paths.ts'
import { goBack } from '../../router.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Loading } from '../../ui/Loading.tsx'
import { NotFoundPage } from '../NotFoundPage.tsx'
import { TaskView } from './TaskView.tsx'

export function TaskPage({ short }: { short: string }) {
  useHotkeys({ Escape: () => goBack(paths.tasks()) })
  const task = useQuery(taskQuery(short))
  usePageTitle(task.data?.title ?? 'Task')
  if (task.data !== undefined) return <TaskView task={task.data} />
  if (isNotFound(task.error)) return <NotFoundPage what="task" />
  if (task.error !== null) return <ErrorView error={task.error} onRetry={() => void task.refetch()} />
  return <Loading label="Loading the task" lines={10} />
}
