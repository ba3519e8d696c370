import type { ButtonHTMLAttributes } from 'react'
import { Icon, type IconName } from './Icon.tsx'

const looks = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover border-transparent font-medium',
  plain: 'bg-panel hover:bg-hover border-edge text-text',
  quiet: 'border-transparent hover:bg-hover text-muted hover:text-text',
  danger: 'bg-panel hover:bg-bad-soft border-edge text-bad',
} as const

export type ButtonLook = keyof typeof looks

const shape =
  'inline-flex min-h-8 pointer-coarse:min-h-11 items-center justify-center gap-1.5 rounded-md border px-2.5 text-[0.8125rem] whitespace-nowrap transition-colors'

export function buttonClass(look: ButtonLook = 'plain'): string {
  return `${shape} ${looks[look]}`
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: ButtonLook
  icon?: IconName
  busy?: boolean
}

export function Button({
  look = 'plain',
  icon,
  busy = false,
  children,
  className = '',
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy}
      disabled={rest.disabled === true || busy}
      className={`${shape} ${looks[look]} disabled:cursor-not-allowed disabled:opacity-60 ${className}`}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A square button whose only content is a picture; the label is what it does. */
export function IconButton({
  label,
  icon,
  className = '',
  ...rest
}: ButtonProps & { label: string; icon: IconName }) {
  return (
    <button
      type="button"
      title={label}
      {...rest}
      aria-label={label}
      className={`inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text pointer-coarse:size-11 ${className}`}
    >
      <Icon name={icon} />
    </button>
  )
}
