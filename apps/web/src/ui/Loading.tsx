/** Grey bars in the shape of what comes; says so once to those who do not see them. */
export function Loading({ label, lines = 6 }: { label: string; lines?: number }) {
  return (
    <output className="grid gap-3 p-4">
      <span className="sr-only">{label}</span>
      {Array.from({ length: lines }, (_, index) => (
        <span
          key={index}
          className="h-3.5 animate-pulse rounded bg-quiet-soft"
          style={{ width: `${92 - ((index * 17) % 40)}%` }}
        />
      ))}
    </output>
  )
}
