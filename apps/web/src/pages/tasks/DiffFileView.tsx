import { useState } from 'react'
import { Button } from '../../ui/Button.tsx'
import { Disclosure } from '../../ui/Disclosure.tsx'
import { Scroller } from '../../ui/Scroller.tsx'
import { Counts } from './Counts.tsx'
import type { DiffFile, DiffLine } from './parse-diff.ts'

/** A file with more lines starts folded, and grows by as many when asked: the document stays small. */
const step = 400

export function DiffFileView({ file, startOpen }: { file: DiffFile; startOpen: boolean }) {
  const large = file.lines.length > step
  const [open, setOpen] = useState(startOpen && !large)
  const [shown, setShown] = useState(step)
  const summary = (
    <>
      <span className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">
        {file.from !== null && <span className="text-muted">{file.from} → </span>}
        {file.path}
      </span>
      {file.change !== 'changed' && <span className="text-xs text-muted">{file.change}</span>}
      <span className="ml-auto flex items-center gap-2">
        {large && <span className="text-xs text-muted">large file</span>}
        <Counts added={file.added} removed={file.removed} />
      </span>
    </>
  )
  return (
    <Disclosure summary={summary} open={open} onToggle={setOpen}>
      {open && (
        <Scroller label={`Changes in ${file.path}`} className="border-t border-edge">
          <table className="w-full border-collapse font-mono text-xs leading-5">
            <caption className="sr-only">Changes in {file.path}</caption>
            <tbody>
              {file.lines.slice(0, shown).map((line, index) => (
                <Line key={index} line={line} />
              ))}
            </tbody>
          </table>
          {shown < file.lines.length && (
            <div className="p-2">
              <Button onClick={() => setShown(shown + step)}>
                Show {Math.min(step, file.lines.length - shown)} more lines
              </Button>
            </div>
          )}
        </Scroller>
      )}
    </Disclosure>
  )
}

const looks = {
  add: { sign: '+', word: 'added', row: 'bg-ok-soft', mark: 'text-ok' },
  remove: { sign: '−', word: 'removed', row: 'bg-bad-soft', mark: 'text-bad' },
  context: { sign: ' ', word: '', row: '', mark: '' },
  hunk: { sign: ' ', word: '', row: 'text-busy bg-busy-soft', mark: '' },
  note: { sign: ' ', word: '', row: 'text-muted italic', mark: '' },
} as const

const number = 'w-px min-w-10 px-2 text-right align-top text-muted select-none'

function Line({ line }: { line: DiffLine }) {
  const { sign, word, row, mark } = looks[line.kind]
  return (
    <tr className={row}>
      <td className={number}>{line.before}</td>
      <td className={number}>{line.after}</td>
      <td className="pr-3 pl-1 whitespace-pre">
        <span aria-hidden="true" className={`inline-block w-4 font-semibold select-none ${mark}`}>
          {sign}
        </span>
        {word !== '' && <span className="sr-only">{word}: </span>}
        {line.text}
      </td>
    </tr>
  )
}
