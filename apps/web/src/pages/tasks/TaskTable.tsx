import type { TaskRow } from '@muster/contract/tasks'
import { endingWords } from '../../components/state-words.ts'
import { StateBadge } from '../../components/StateBadge.tsx'
import { paths } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { Age, Elapsed } from '../../ui/Time.tsx'
import { NextTry } from './NextTry.tsx'
import { phaseText } from './phase-text.ts'

const columns = [
  { title: 'Status', from: '' },
  { title: 'Task', from: '' },
  { title: 'Repository', from: 'max-md:hidden' },
  { title: 'Lane', from: 'max-lg:hidden' },
  { title: 'Worker', from: 'max-lg:hidden' },
  { title: 'Branch', from: 'max-xl:hidden' },
  { title: 'Took', from: 'max-md:hidden text-right' },
  { title: 'Created', from: 'max-sm:hidden text-right' },
] as const

const cell = 'px-3 py-1.5 align-middle text-[0.8125rem]'

export function TaskTable({ rows }: { rows: TaskRow[] }) {
  return (
    <div className="overflow-clip rounded-lg border border-edge bg-panel shadow-panel">
      <table className="w-full table-fixed border-collapse">
        <caption className="sr-only">Tasks, newest first</caption>
        <colgroup>
          {/* Room for "Execution failed". */}
          <col className="w-36" />
          <col />
          <col className="w-32 max-md:hidden" />
          <col className="w-20 max-lg:hidden" />
          <col className="w-32 max-lg:hidden" />
          <col className="w-72 max-xl:hidden" />
          <col className="w-24 max-md:hidden" />
          <col className="w-24 max-sm:hidden" />
        </colgroup>
        <thead>
          <tr className="border-b border-edge text-xs text-muted">
            {columns.map(({ title, from }) => (
              <th key={title} scope="col" className={`px-3 py-1.5 text-left font-medium ${from}`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ row }: { row: TaskRow }) {
  return (
    <tr className="relative border-b border-edge last:border-0 focus-within:bg-hover hover:bg-hover">
      <td className={cell}>
        <StateBadge state={row.state} />
        <div className="truncate pl-5.5 text-xs text-muted empty:hidden">{rowDetail(row)}</div>
      </td>
      <td className={cell}>
        <Link
          href={paths.task(row.short)}
          data-task-row
          title={row.title}
          className="block truncate font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
        >
          {row.title}
        </Link>
        <div className="truncate text-xs text-muted">
          <span className="font-mono">{row.short}</span>
          <NextTry row={row} />
          <span className="md:hidden"> · {row.repo}</span>
          <span className="sm:hidden">
            {' · '}
            <Age at={row.createdAt} />
          </span>
          {row.attempt > 1 && <span> · attempt {row.attempt}</span>}
        </div>
      </td>
      <td className={`${cell} truncate max-md:hidden`}>{row.repo}</td>
      <td className={`${cell} max-lg:hidden ${row.lane === 'normal' ? 'text-muted' : 'font-medium'}`}>
        {row.lane}
      </td>
      <td className={`${cell} truncate text-muted max-lg:hidden`}>{row.worker}</td>
      <td className={`${cell} truncate font-mono text-xs max-xl:hidden`} title={row.branch ?? undefined}>
        {row.branch}
      </td>
      <td className={`${cell} text-right whitespace-nowrap max-md:hidden`}>
        {row.startedAt !== null && <Elapsed from={row.startedAt} to={row.endedAt} />}
      </td>
      <td className={`${cell} text-right whitespace-nowrap text-muted max-sm:hidden`}>
        <Age at={row.createdAt} />
      </td>
    </tr>
  )
}

/** The second word on a state where it says more than the state: the phase of a run, the ending of a dead task. */
function rowDetail(row: TaskRow): string {
  if (row.state === 'dead') return row.ending === null ? '' : endingWords[row.ending]
  return row.state === 'running' && row.phase !== 'running' ? phaseText(row.phase) : ''
}

/** Moves the focus itself, so that Enter, the screen reader and the visible ring all agree on the row. */
export function focusRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-task-row]')]
  const current = rows.findIndex((row) => row === document.activeElement)
  const wanted = current === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, current + step))
  rows[wanted]?.focus()
}
