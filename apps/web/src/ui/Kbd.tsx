export function Kbd({ children }: { children: string }) {
  return (
    <kbd className="inline-grid h-5 min-w-5 place-items-center rounded border border-edge bg-sunken px-1 font-mono text-[0.6875rem] text-muted">
      {children}
    </kbd>
  )
}
