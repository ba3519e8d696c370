export function Kbd({ children }: { children: string }) {
  return (
    <kbd className="inline-grid h-5 min-w-5 place-items-center rounded border border-edge bg-sunken px-1 font-mono text-[11px] text-muted">
      {children}
    </kbd>
  )
}
