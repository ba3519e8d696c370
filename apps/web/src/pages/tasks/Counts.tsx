export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="font-mono text-xs whitespace-nowrap">
      <span className="sr-only">{`${added} added, ${removed} removed lines`}</span>
      <span aria-hidden="true" className="text-ok">
        +{added}
      </span>{' '}
      <span aria-hidden="true" className="text-bad">
        −{removed}
      </span>
    </span>
  )
}
