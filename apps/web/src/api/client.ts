import { ApiError, createClient } from '@muster/sdk/client'

/** The hub is where the page came from; nothing in the address bar can name another one. */
export const client = createClient({ origin: window.location.origin })

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ApiError && error.body.code === 'unauthenticated'
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

/** What to show a person for any failure: the hub's own words where it had some. */
export function errorText(error: unknown): { message: string; hint: string; requestId?: string | undefined } {
  if (error instanceof ApiError) {
    if (error.body.code === 'hub_unreachable') {
      return {
        message: 'The hub does not answer.',
        hint: 'It may be restarting; this page connects again by itself.',
      }
    }
    return error.body
  }
  return {
    message: 'The hub answered with something this page does not understand.',
    hint: 'Reload the page; it may be older than the hub.',
  }
}
