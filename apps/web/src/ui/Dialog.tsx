import { useEffect, useId, useRef, type ReactNode } from 'react'
import { IconButton } from './Button.tsx'

/** A modal dialog of the browser's own: it traps the focus, closes on Escape and gives the focus back. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string
  onClose: () => void
  children: ReactNode
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (opener instanceof HTMLElement) opener.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onClose={onClose}
      className="w-[min(32rem,calc(100vw-2rem))] rounded-lg border border-edge bg-panel p-0 text-text shadow-xl"
    >
      <h2
        id={heading}
        className="border-b border-edge py-3 pr-12 pl-4 font-semibold [overflow-wrap:anywhere]"
      >
        {title}
      </h2>
      <div className="p-4">{children}</div>
      {/* Last, so that the focus starts on what the dialog is about. */}
      <IconButton
        label="Close"
        icon="cross"
        onClick={() => dialog.current?.close()}
        className="absolute top-2 right-2"
      />
    </dialog>
  )
}
