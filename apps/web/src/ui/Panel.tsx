import { useId, type ReactNode } from 'react'

/** A titled surface; `aside` is what stands at the right of the title. */
export function Panel({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  const heading = useId()
  return (
    <section
      aria-labelledby={heading}
      className="overflow-clip rounded-lg border border-edge bg-panel shadow-panel"
    >
      <div className="flex min-h-10 flex-wrap items-center justify-between gap-x-3 border-b border-edge py-1 pr-2 pl-3.5">
        <h2 id={heading} className="text-[0.8125rem] font-semibold">
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
