import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react'

// The whole of routing: five pages with no nested data need the history and nothing else.

const moved = 'muster:moved'

export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) history.replaceState(history.state, '', to)
  else history.pushState({ inside: true }, '', to)
  window.dispatchEvent(new Event(moved))
  if (options.replace !== true) window.scrollTo(0, 0)
}

/** Goes back to where the person came from, or to `otherwise` when this page was opened directly. */
export function goBack(otherwise: string): void {
  const state: unknown = history.state
  if (typeof state === 'object' && state !== null && 'inside' in state) history.back()
  else navigate(otherwise)
}

export function useAddress(): { pathname: string; search: string; hash: string } {
  const href = useSyncExternalStore(subscribe, () => location.href)
  const { pathname, search, hash } = new URL(href)
  return { pathname, search, hash }
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener)
  window.addEventListener(moved, listener)
  return () => {
    window.removeEventListener('popstate', listener)
    window.removeEventListener(moved, listener)
  }
}

/** A link that stays inside the page; a modified click keeps the browser's own meaning. */
export function Link({
  href,
  onClick,
  children,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
    if (event.defaultPrevented || event.button !== 0 || modified) return
    event.preventDefault()
    navigate(href)
  }
  return (
    <a {...rest} href={href} onClick={follow}>
      {children}
    </a>
  )
}
