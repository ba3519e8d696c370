import { open, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

/** The nearest-rank percentile. */
export function p(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    widths
      .map((width, at) => (at === 0 ? (row[at] ?? '').padEnd(width) : (row[at] ?? '').padStart(width)))
      .join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

export async function describeMachine(): Promise<string> {
  const gib = (totalmem() / 1024 ** 3).toFixed(0)
  const fsync = (await fsyncsPerSecond()).toFixed(0)
  const load = loadavg()[0]?.toFixed(1)
  return (
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${gib} GiB, Node ${process.versions.node}, ` +
    `${fsync} fsync/s in ${tmpdir()}, load ${load}`
  )
}

/** A commit of the database waits for at least one of these. */
async function fsyncsPerSecond(): Promise<number> {
  const path = join(tmpdir(), `muster-bench-fsync-${process.pid}`)
  const file = await open(path, 'w')
  const until = performance.now() + 500
  const began = performance.now()
  let count = 0
  while (performance.now() < until) {
    await file.write('x'.repeat(512))
    await file.datasync()
    count += 1
  }
  const seconds = (performance.now() - began) / 1_000
  await file.close()
  await rm(path)
  return count / seconds
}
