import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { reposQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { usePageTitle } from '../../components/page-title.ts'
import { paths } from '../../paths.ts'
import { goBack } from '../../router.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Loading } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { AddRepoForm } from './AddRepoForm.tsx'
import { NewTaskForm } from './NewTaskForm.tsx'

export function NewTaskPage() {
  usePageTitle('New task')
  useHotkeys({ Escape: () => goBack(paths.tasks()) })
  const repos = useQuery(reposQuery)
  const [added, setAdded] = useState<string>()

  return (
    <div className="mx-auto grid max-w-3xl grid-cols-[minmax(0,1fr)] gap-3">
      <h1 className="text-lg font-semibold">New task</h1>
      {repos.error !== null && <ErrorView error={repos.error} onRetry={() => void repos.refetch()} />}
      {repos.isPending && <Loading label="Loading repositories" />}
      {repos.data?.items.length === 0 && (
        <Panel title="First, register a repository">
          <div className="p-4">
            <AddRepoForm onAdded={setAdded} />
          </div>
        </Panel>
      )}
      {repos.data !== undefined && repos.data.items.length > 0 && (
        <NewTaskForm repos={repos.data.items.map((repo) => repo.name)} firstRepo={added} />
      )}
    </div>
  )
}
