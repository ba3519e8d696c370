import { useQuery } from '@tanstack/react-query'
import { reposQuery } from '../../api/queries.ts'
import { paths, type TaskFilter } from '../../paths.ts'
import { Link, navigate } from '../../router.tsx'
import { SelectField } from '../../ui/Field.tsx'

/** Groups of states that answer one question each; the value is what the hub's `state` filter takes. */
const groups = [
  { label: 'All', state: undefined },
  { label: 'Waiting', state: 'queued,waiting,draft' },
  { label: 'In progress', state: 'assigned,running,verifying,review' },
  { label: 'Done', state: 'done' },
  { label: 'Dead', state: 'dead' },
  { label: 'Cancelled', state: 'cancelled' },
]

export function TaskFilters({ filter }: { filter: TaskFilter }) {
  const repos = useQuery(reposQuery)
  return (
    <div className="flex max-w-full flex-wrap items-center gap-2">
      <nav
        aria-label="State"
        className="flex max-w-full overflow-x-auto rounded-md border border-edge bg-panel p-0.5"
      >
        {groups.map(({ label, state }) => (
          <Link
            key={label}
            href={paths.tasks({ ...filter, state })}
            aria-current={filter.state === state ? 'page' : undefined}
            className="inline-flex min-h-7 items-center rounded px-2 text-[0.8125rem] whitespace-nowrap text-muted -outline-offset-2 hover:text-text aria-[current=page]:bg-quiet-soft aria-[current=page]:font-medium aria-[current=page]:text-text pointer-coarse:min-h-10"
          >
            {label}
          </Link>
        ))}
      </nav>
      <SelectField
        label="Repository"
        hideLabel
        value={filter.repo ?? ''}
        onChange={(event) => navigate(paths.tasks({ ...filter, repo: event.target.value || undefined }))}
      >
        <option value="">All repositories</option>
        {repos.data?.items.map((repo) => (
          <option key={repo.id} value={repo.name}>
            {repo.name}
          </option>
        ))}
      </SelectField>
    </div>
  )
}
