import { useState } from 'react'
import { copyText } from './copy-text.ts'
import { Icon } from './Icon.tsx'

/** Copies `text`; says so for two seconds, in words for those who do not see the tick. */
export function CopyButton({
  text,
  label,
  words,
}: {
  text: string | (() => string)
  label: string
  words?: string
}) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  const copy = async () => {
    const copied = await copyText(typeof text === 'string' ? text : text())
    setState(copied ? 'copied' : 'failed')
    setTimeout(() => setState('idle'), 2_000)
  }
  return (
    <>
      <button
        type="button"
        aria-label={label}
        title={label}
        onClick={() => void copy()}
        className="inline-flex min-h-7 min-w-7 items-center justify-center gap-1.5 rounded px-1 text-[0.8125rem] text-muted hover:bg-hover hover:text-text pointer-coarse:min-h-11 pointer-coarse:min-w-11"
      >
        <Icon name={state === 'copied' ? 'check' : state === 'failed' ? 'cross' : 'copy'} />
        {words}
      </button>
      <output className="sr-only">
        {state === 'copied' ? 'Copied' : state === 'failed' ? 'Copying failed' : ''}
      </output>
    </>
  )
}
