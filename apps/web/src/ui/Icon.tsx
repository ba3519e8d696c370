const shapes = {
  check: 'M3.5 8.5 6.5 11.5 12.5 4.8',
  cross: 'm4.3 4.3 7.4 7.4m0-7.4-7.4 7.4',
  plus: 'M8 3v10M3 8h10',
  copy: 'M5.5 5.5V3.2h7.3v7.3h-2.3M3.2 5.5h7.3v7.3H3.2z',
  chevron: 'm6 3.8 4.2 4.2L6 12.2',
  back: 'M13 8H3.5m4-4-4 4 4 4',
  branch:
    'M4.5 5.5v5m0 0a1.6 1.6 0 1 0 0 .1m0-5.1a1.6 1.6 0 1 0 0-.1m7 .1a1.6 1.6 0 1 0 0-.1m0 .1c0 3-3 3.3-6.5 4',
  warning: 'M8 2.5 14.3 13.5H1.7zM8 6.5v3.2m0 1.7v.1',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6',
  stop: 'M4 4h8v8H4z',
  pause: 'M5.5 3.5v9m5-9v9',
  play: 'M5 3.2v9.6L12.5 8z',
  down: 'M8 3v9.5m-4-4 4 4 4-4',
  sun: 'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.5v1.3m0 10.4v1.3M1.5 8h1.3m10.4 0h1.3M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9m-7.4 7.4-.9.9',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5',
  server: 'M2.5 3h11v4h-11zm0 6h11v4h-11zM5 5h.1M5 11h.1',
  contrast: 'M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2m0 0v11.6m0-9.3h4.6M8 8h5.8M8 11.5h4.6',
  keyboard: 'M1.8 4h12.4v8.2H1.8zM4.3 6.5h.1m2.3 0h.1m2.4 0h.1m2.4 0h.1M5 9.7h6',
  chip: 'M4.5 4.5h7v7h-7zM6.5 2v2.5m3-2.5v2.5m-3 7V14m3-2.5V14M2 6.5h2.5M2 9.5h2.5m7-3H14m-2.5 3H14',
  gear: 'M2.5 4.5h6m3 0h2m-11 7h2m3 0h6M10 3v3M6 10v3',
  exit: 'M6.5 2.8H3v10.4h3.5M6.5 8h7m-2.8-2.8L13.5 8l-2.8 2.8',
  expand: 'M9.5 3H13v3.5M6.5 13H3V9.5M13 3 9 7m-6 6 4-4',
} as const

export type IconName = keyof typeof shapes

/** Decorative: the words beside it, or the label of its button, carry the meaning. */
export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      className={`inline-block size-4 shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={shapes[name]} />
    </svg>
  )
}
