import type { Report } from '@muster/contract/checks'

const kinds = [
  {
    key: 'restored',
    word: 'Taken from the base',
    means: 'The run changed it; the checks saw the version before the run.',
  },
  { key: 'removed', word: 'Left out', means: 'The run added it; the checks did not see it.' },
  { key: 'merged', word: 'Merged', means: 'The checks saw the proof-defining parts of the base in it.' },
] as const

/** Which files of the run the checks did not take its word for. Silent when there are none. */
export function ProofNotes({ proof }: { proof: Report['proof'] }) {
  const notes = kinds.flatMap((kind) => proof[kind.key].map((entry) => ({ ...kind, ...entry })))
  if (notes.length === 0) return null
  return (
    <div className="border-t border-edge px-3.5 py-2.5 text-[0.8125rem]">
      <h3 className="mb-1 font-medium">Files that define the proof</h3>
      <ul className="grid gap-1.5">
        {notes.map(({ key, word, means, path, why }) => (
          <li key={`${key}:${path}`} className="grid gap-x-3 sm:grid-cols-[11rem_minmax(0,1fr)]">
            <span className="font-medium text-warn" title={means}>
              {word}
            </span>
            <span className="min-w-0 [overflow-wrap:anywhere]">
              <code className="font-mono text-xs">{path}</code> <span className="text-muted">{why}</span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
