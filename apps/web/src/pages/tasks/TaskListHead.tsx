import { paths, type TaskFilter } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { buttonClass } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { TaskFilters } from './TaskFilters.tsx'

export function TaskListHead({ filter }: { filter: TaskFilter }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <h1 className="text-lg font-semibold">Tasks</h1>
      <div className="max-md:order-1 max-md:w-full">
        <TaskFilters filter={filter} />
      </div>
      <Link href={paths.newTask()} className={`${buttonClass('primary')} ml-auto`}>
        <Icon name="plus" />
        New task
      </Link>
    </div>
  )
}
