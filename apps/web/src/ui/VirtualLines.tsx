import { useCallback, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { Scroller } from './Scroller.tsx'

const lineHeight = 20
const overscan = 30

type VirtualLinesProps = {
  label: string
  count: number
  /** Stay at the end as lines come; switched off by scrolling up, on by scrolling to the end. */
  follow: boolean
  onFollow: (follow: boolean) => void
  maxHeight: string
  children: (index: number) => ReactNode
}

/** A scrolling list of lines of equal height of which only the visible ones exist in the document. */
export function VirtualLines({ label, count, follow, onFollow, maxHeight, children }: VirtualLinesProps) {
  const viewport = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState({ first: 0, last: 60 })
  // A scroll of our own must not be taken for the person's.
  const ownScroll = useRef(false)

  const measure = useCallback(() => {
    const box = viewport.current
    if (box === null) return
    const first = Math.max(0, Math.floor(box.scrollTop / lineHeight) - overscan)
    const last = Math.ceil((box.scrollTop + box.clientHeight) / lineHeight) + overscan
    setRange((before) => (before.first === first && before.last === last ? before : { first, last }))
  }, [])

  useLayoutEffect(() => {
    const box = viewport.current
    if (box === null) return
    if (follow && box.scrollTop + box.clientHeight < box.scrollHeight) {
      ownScroll.current = true
      box.scrollTop = box.scrollHeight
    }
    measure()
  })

  useEffect(() => {
    const box = viewport.current
    if (box === null) return
    const observer = new ResizeObserver(measure)
    observer.observe(box)
    return () => observer.disconnect()
  }, [measure])

  const scrolled = () => {
    const box = viewport.current
    if (box === null) return
    measure()
    if (ownScroll.current) {
      ownScroll.current = false
      return
    }
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < lineHeight * 1.5
    if (atEnd !== follow) onFollow(atEnd)
  }

  const first = Math.min(range.first, count)
  const last = Math.min(range.last, count)
  return (
    <Scroller
      ref={viewport}
      role="log"
      // Announcing every line of a stream would drown everything else; the task says its news itself.
      aria-live="off"
      label={label}
      onScroll={scrolled}
      className="overscroll-contain bg-sunken py-2 font-mono text-xs"
      style={{ maxHeight }}
    >
      <div style={{ height: count * lineHeight, minWidth: 'max-content', position: 'relative' }}>
        <div style={{ position: 'absolute', top: first * lineHeight, left: 0, minWidth: '100%' }}>
          {Array.from({ length: last - first }, (_, offset) => (
            <div
              key={first + offset}
              className="whitespace-pre"
              style={{ height: lineHeight, lineHeight: `${lineHeight}px` }}
            >
              {children(first + offset)}
            </div>
          ))}
        </div>
      </div>
    </Scroller>
  )
}
