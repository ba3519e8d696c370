import type { ReactNode } from 'react'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import type { IconName } from '../ui/Icon.tsx'

type ConfirmProps = {
  title: string
  /** What the button that does it says; never just "OK". */
  does: string
  icon: IconName
  danger?: boolean
  keep?: string
  onClose: () => void
  onConfirm: () => void
  children: ReactNode
}

/** Says what will happen before it happens; the way out is named by what stays. */
export function ConfirmDialog({
  title,
  does,
  icon,
  danger,
  keep,
  onClose,
  onConfirm,
  children,
}: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="grid gap-1.5 text-[0.8125rem] [overflow-wrap:anywhere]">{children}</div>
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{keep ?? 'Cancel'}</Button>
        <Button
          look={danger === true ? 'danger' : 'primary'}
          icon={icon}
          onClick={() => {
            onClose()
            onConfirm()
          }}
        >
          {does}
        </Button>
      </div>
    </Dialog>
  )
}
