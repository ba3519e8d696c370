import { useState } from 'react'
import { Dialog } from '../ui/Dialog.tsx'
import { enableHotkeys, hotkeysEnabled } from '../ui/hotkeys.ts'
import { Kbd } from '../ui/Kbd.tsx'

const shortcuts = [
  { keys: ['j', 'k'], does: 'Next or previous task in the list' },
  { keys: ['Enter'], does: 'Open the task' },
  { keys: ['c'], does: 'New task' },
  { keys: ['f'], does: 'Follow or pause the output of a task' },
  { keys: ['Esc'], does: 'Back' },
  { keys: ['?'], does: 'This overview' },
]

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const [enabled, setEnabled] = useState(hotkeysEnabled)
  const toggle = () => {
    enableHotkeys(!enabled)
    setEnabled(!enabled)
  }
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2 text-[0.8125rem]">
        {shortcuts.map(({ keys, does }) => (
          <div key={does} className="contents">
            <dt className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="mt-4 flex min-h-8 items-center gap-2 border-t border-edge pt-3 text-[0.8125rem]">
        <input type="checkbox" checked={enabled} onChange={toggle} className="size-4 accent-accent" />
        Single-key shortcuts are on
      </label>
    </Dialog>
  )
}
