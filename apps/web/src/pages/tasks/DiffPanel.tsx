import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import type { Task } from '@muster/contract/tasks'
import { isTerminal } from '@muster/contract/task-states'
import { diffQuery } from '../../api/queries.ts'
import { ErrorView } from '../../components/ErrorView.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Loading } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { Counts } from './Counts.tsx'
import { DiffFileView } from './DiffFileView.tsx'
import { parseDiff } from './parse-diff.ts'

export function DiffPanel({ task }: { task: Task }) {
  const diff = useQuery(diffQuery(task.short))
  const text = diff.data?.diff ?? ''
  const files = useMemo(() => parseDiff(text), [text])
  const added = files.reduce((sum, file) => sum + file.added, 0)
  const removed = files.reduce((sum, file) => sum + file.removed, 0)
  const aside = files.length > 0 && (
    <span className="flex items-center gap-2 text-xs text-muted">
      {files.length} {files.length === 1 ? 'file' : 'files'}
      <Counts added={added} removed={removed} />
      <CopyButton text={text} label="Copy the diff" words="Copy" />
    </span>
  )
  return (
    <Panel title="Changes" aside={aside}>
      {diff.isPending && <Loading label="Loading the diff" lines={3} />}
      {diff.error !== null && (
        <div className="p-3">
          <ErrorView error={diff.error} onRetry={() => void diff.refetch()} />
        </div>
      )}
      {diff.isSuccess && files.length === 0 && <Empty text={text} ended={isTerminal(task.state)} />}
      {diff.data?.truncated === true && (
        <div className="p-3">
          <Notice tone="warn" title="The diff is longer than what is kept.">
            Everything is in the commit; this is its beginning.
          </Notice>
        </div>
      )}
      <div className="divide-y divide-edge">
        {files.map((file, index) => (
          // Many files open at once are a wall of text; the first ones show that there is something to read.
          <DiffFileView key={`${index}:${file.path}`} file={file} startOpen={index < 8} />
        ))}
      </div>
    </Panel>
  )
}

/** The work is taken out of the wall at the end of a run; before that nobody here knows what it changed. */
function Empty({ text, ended }: { text: string; ended: boolean }): ReactNode {
  if (text.trim() === '') {
    return (
      <p className="px-3.5 py-4 text-[0.8125rem] text-muted">
        {ended ? 'No changes were kept.' : 'What it changed appears here when the run has ended.'}
      </p>
    )
  }
  return <pre className="overflow-auto bg-sunken p-3 font-mono text-xs">{text}</pre>
}
