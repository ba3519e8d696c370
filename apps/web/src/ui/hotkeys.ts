import { useEffect, useRef } from 'react'

const key = 'muster.single-key-shortcuts'

/** People who dictate or press keys by accident can turn single-key shortcuts off (WCAG 2.1.4). */
export function hotkeysEnabled(): boolean {
  return localStorage.getItem(key) !== 'off'
}

export function enableHotkeys(enabled: boolean): void {
  if (enabled) localStorage.removeItem(key)
  else localStorage.setItem(key, 'off')
}

/** Runs an action per key unless the person is typing, a dialog is open or a modifier is held. */
export function useHotkeys(actions: Record<string, () => void>): void {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const action = latest.current[event.key]
      if (action === undefined || event.defaultPrevented || !isForThePage(event)) return
      event.preventDefault()
      action()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

function isForThePage(event: KeyboardEvent): boolean {
  if (event.metaKey || event.ctrlKey || event.altKey) return false
  if (document.querySelector('dialog[open]') !== null) return false
  const target = event.target
  if (target instanceof HTMLElement && target.closest('input, textarea, select') !== null) {
    // Escape first leaves the field, so that nothing typed is lost by one key.
    if (event.key === 'Escape') target.blur()
    return false
  }
  return event.key === 'Escape' || hotkeysEnabled()
}
