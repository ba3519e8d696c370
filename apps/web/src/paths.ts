/** Every address of the page, made in one place. */
export const paths = {
  tasks: (filter: TaskFilter = {}) => withQuery('/', filter),
  newTask: () => '/tasks/new',
  task: (short: string) => `/tasks/${encodeURIComponent(short)}`,
  workers: () => '/workers',
  models: () => '/models',
  settings: () => '/settings',
  signIn: (next: string) => withQuery('/sign-in', { next: next === '/' ? undefined : next }),
}

export type TaskFilter = { state?: string | undefined; repo?: string | undefined }

export type Match =
  | { page: 'tasks'; filter: TaskFilter }
  | { page: 'new-task' }
  | { page: 'task'; short: string }
  | { page: 'workers' }
  | { page: 'models' }
  | { page: 'settings' }
  | { page: 'sign-in'; next: string }
  | { page: 'not-found' }

export function matchPath(pathname: string, search: string): Match {
  const query = new URLSearchParams(search)
  if (pathname === '/' || pathname === '/tasks') {
    return {
      page: 'tasks',
      filter: { state: query.get('state') ?? undefined, repo: query.get('repo') ?? undefined },
    }
  }
  if (pathname === '/tasks/new') return { page: 'new-task' }
  if (pathname === '/workers') return { page: 'workers' }
  if (pathname === '/models') return { page: 'models' }
  if (pathname === '/settings') return { page: 'settings' }
  if (pathname === '/sign-in') return { page: 'sign-in', next: ownPath(query.get('next')) }
  const short = /^\/tasks\/([0-9a-f-]{8,36})$/.exec(pathname)?.[1]
  return short === undefined ? { page: 'not-found' } : { page: 'task', short }
}

/** The return path comes from the address bar, so it may only lead to a page of this origin. */
export function ownPath(path: string | null): string {
  return path !== null && /^\/(?![/\\])/.test(path) ? path : '/'
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, value)
  return search.size === 0 ? path : `${path}?${search}`
}
