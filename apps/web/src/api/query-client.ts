import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError } from '@muster/sdk/client'
import { paths } from '../paths.ts'
import { navigate } from '../router.tsx'
import { isUnauthenticated } from './client.ts'

/** Live events keep the cache true, so nothing is refetched by time or by focus alone. */
export function createQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    if (isUnauthenticated(error)) goToSignIn()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 30_000, refetchOnWindowFocus: false, networkMode: 'always', retry },
      mutations: { networkMode: 'always' },
    },
  })
}

/** A refusal stays a refusal; only a hub that is away or in trouble is worth asking again. */
function retry(failures: number, error: Error): boolean {
  const passing = error instanceof ApiError && (error.status === 0 || error.status >= 500)
  return passing && failures < 2
}

function goToSignIn(): void {
  if (location.pathname === '/sign-in') return
  navigate(paths.signIn(location.pathname + location.search), { replace: true })
}
