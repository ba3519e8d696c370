import { useState } from 'react'
import type { Run } from '@muster/contract/runs'
import type { Task } from '@muster/contract/tasks'
import { isTerminal } from '@muster/contract/task-states'
import { ansiPieces, withoutAnsi } from '../../ui/ansi.ts'
import { Button } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Panel } from '../../ui/Panel.tsx'
import { VirtualLines } from '../../ui/VirtualLines.tsx'
import type { LiveOutput } from './live-output.ts'
import { overdrawn, type OutputLine } from './output-lines.ts'

/** Longer lines are cut on the page, never in what is copied. */
const maxShown = 2_000

export function OutputPanel({ task, runs, live }: { task: Task; runs: Run[]; live: LiveOutput }) {
  const { lines, dropped, caughtUp, progress } = live
  const ended = isTerminal(task.state)
  const [follow, setFollow] = useState(!ended)
  const [tall, setTall] = useState(false)
  useHotkeys({ f: () => setFollow(!follow) })
  const attempts = new Map(runs.map((run) => [run.id, run.attempt]))
  const copied = () => lines.map((line) => withoutAnsi(overdrawn(line.text))).join('\n')

  const aside = (
    <div className="flex flex-wrap items-center gap-0.5">
      <span className="mr-2 text-xs text-muted">{countText(lines.length, dropped)}</span>
      <Button
        look="quiet"
        icon={follow ? 'pause' : 'down'}
        aria-pressed={follow}
        onClick={() => setFollow(!follow)}
      >
        {follow ? 'Following' : 'Follow'}
      </Button>
      <Button look="quiet" icon="expand" aria-pressed={tall} onClick={() => setTall(!tall)}>
        {tall ? 'Shorter' : 'Taller'}
      </Button>
      <CopyButton text={copied} label="Copy the output" words="Copy" />
    </div>
  )
  return (
    <Panel title="Output" aside={aside}>
      {progress !== null && <ProgressLine text={progress.text} percent={progress.percent} />}
      {lines.length === 0 ? (
        <p className="px-3.5 py-4 text-[0.8125rem] text-muted">{emptyText(task, caughtUp)}</p>
      ) : (
        <VirtualLines
          label="Output"
          count={lines.length}
          follow={follow}
          onFollow={setFollow}
          maxHeight={tall ? '80dvh' : '26rem'}
        >
          {(index) => <Line line={lines[index]} number={dropped + index + 1} attempts={attempts} />}
        </VirtualLines>
      )}
    </Panel>
  )
}

function countText(count: number, dropped: number): string {
  if (count === 0) return ''
  const lines = `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`
  return dropped === 0 ? lines : `last ${lines}, ${dropped.toLocaleString('en')} earlier ones left out`
}

function emptyText(task: Task, caughtUp: boolean): string {
  if (!caughtUp) return 'Reading the output…'
  if (isTerminal(task.state)) return 'No output was written.'
  return task.startedAt === null ? 'Output appears here once a worker has the task.' : 'No output yet.'
}

function ProgressLine({ text, percent }: { text: string; percent: number | null }) {
  return (
    <div className="flex items-center gap-3 border-b border-edge px-3.5 py-1.5 text-xs text-muted">
      <span className="min-w-0 flex-1 truncate">{text}</span>
      {percent !== null && (
        <>
          <progress value={percent} max={100} aria-label={text} className="h-1.5 w-32" />
          <span>{Math.round(percent)} %</span>
        </>
      )}
    </div>
  )
}

/** stderr and the platform's own lines carry a word in the gutter, not only a colour. */
const gutters = {
  stdout: { mark: '', look: '' },
  stderr: { mark: 'err', look: 'text-bad' },
  system: { mark: 'sys', look: 'text-busy' },
  run: { mark: '', look: '' },
} as const

type LineProps = { line: OutputLine | undefined; number: number; attempts: Map<string, number> }

function Line({ line, number, attempts }: LineProps) {
  if (line === undefined) return null
  if (line.stream === 'run') {
    const attempt = attempts.get(line.text)
    return (
      <span className="flex items-center gap-2 pl-3.5 text-muted">
        <span className="w-24 border-t border-control" />
        {attempt === undefined ? 'Next attempt' : `Attempt ${attempt}`}
      </span>
    )
  }
  const { mark, look } = gutters[line.stream]
  const text = overdrawn(line.text)
  const { pieces } = ansiPieces(text.slice(0, maxShown), line.style)
  return (
    <>
      <span aria-hidden="true" className="inline-block w-12 pr-3 text-right text-muted select-none">
        {number}
      </span>
      <span className={`inline-block w-8 select-none ${look}`}>{mark}</span>
      <span className={line.stream === 'system' ? 'text-muted' : ''}>
        {pieces.map((piece, index) => (
          <span key={index} className={piece.className}>
            {piece.text}
          </span>
        ))}
      </span>
      {text.length > maxShown && (
        <span className="text-muted"> … {text.length - maxShown} more characters</span>
      )}
    </>
  )
}
