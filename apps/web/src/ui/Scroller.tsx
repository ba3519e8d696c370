import type { HTMLAttributes, Ref } from 'react'

type ScrollerProps = HTMLAttributes<HTMLDivElement> & {
  label: string
  /** `log` for what grows at its end, `group` for the rest. */
  role?: 'log' | 'group'
  ref?: Ref<HTMLDivElement>
}

/** A box that scrolls by itself and therefore must be reachable by keyboard, which not every browser sees to. */
export function Scroller({ label, role = 'group', className = '', ...rest }: ScrollerProps) {
  return (
    <div
      {...rest}
      role={role}
      aria-label={label}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling box needs the focus to be scrolled
      tabIndex={0}
      className={`overflow-auto -outline-offset-2 ${className}`}
    />
  )
}
