import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { isUnauthenticated } from './api/client.ts'
import { meQuery } from './api/queries.ts'
import { ErrorView } from './components/ErrorView.tsx'
import { Layout } from './components/Layout.tsx'
import { LiveProvider } from './components/LiveProvider.tsx'
import { SignInPage } from './pages/identity/SignInPage.tsx'
import { ModelsPage } from './pages/models/ModelsPage.tsx'
import { NotFoundPage } from './pages/NotFoundPage.tsx'
import { SettingsPage } from './pages/settings/SettingsPage.tsx'
import { NewTaskPage } from './pages/tasks/NewTaskPage.tsx'
import { TaskListPage } from './pages/tasks/TaskListPage.tsx'
import { TaskPage } from './pages/tasks/TaskPage.tsx'
import { WorkersPage } from './pages/workers/WorkersPage.tsx'
import { matchPath, type Match } from './paths.ts'
import { useAddress } from './router.tsx'
import { Loading } from './ui/Loading.tsx'

export function Routes() {
  const { pathname, search } = useAddress()
  const match = matchPath(pathname, search)
  if (match.page === 'sign-in') return <SignInPage next={match.next} />
  return <SignedIn>{pageOf(match)}</SignedIn>
}

function pageOf(match: Exclude<Match, { page: 'sign-in' }>): ReactNode {
  switch (match.page) {
    case 'tasks':
      return <TaskListPage filter={match.filter} />
    case 'new-task':
      return <NewTaskPage />
    case 'task':
      return <TaskPage key={match.short} short={match.short} />
    case 'workers':
      return <WorkersPage />
    case 'models':
      return <ModelsPage />
    case 'settings':
      return <SettingsPage />
    case 'not-found':
      return <NotFoundPage what="page" />
  }
}

/** Shows nothing of the product before it is known who is asking; who is not signed in is sent to the sign-in. */
function SignedIn({ children }: { children: ReactNode }) {
  const me = useQuery(meQuery)
  if (me.data !== undefined) {
    return (
      <LiveProvider>
        <Layout>{children}</Layout>
      </LiveProvider>
    )
  }
  return (
    <main className="mx-auto max-w-xl px-4 py-16">
      {me.error === null || isUnauthenticated(me.error) ? (
        <Loading label="Loading Muster" />
      ) : (
        <ErrorView error={me.error} onRetry={() => void me.refetch()} />
      )}
    </main>
  )
}
