/** A tally whose last stroke became a tick. */
export function Logo({ large = false }: { large?: boolean }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={large ? 'size-9' : 'size-6'}>
      <rect width="24" height="24" rx="6" fill="#12403a" />
      <g fill="none" strokeLinecap="round" strokeLinejoin="round" strokeWidth="2.1">
        <path d="M5.3 16V8m3.9 8V8" stroke="#9fe8d6" />
        <path d="m11.7 12.3 2.7 3 4.9-7" stroke="#fff" />
      </g>
    </svg>
  )
}
