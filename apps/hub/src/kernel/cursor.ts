import { MusterError } from './errors.ts'
import { isId } from './ids.ts'

/**
 * Lists are paged by id, newest first: ids are time-ordered (UUID version 7), so the primary key is the index and
 * the cursor is the last id shown.
 */
export function pageAfter(cursor: string | undefined): string {
  if (cursor === undefined) return 'ffffffff-ffff-ffff-ffff-ffffffffffff'
  if (!isId(cursor)) {
    throw new MusterError('invalid_request', 'cursor: is not one that this list gave out')
  }
  return cursor
}

/** Cuts a page off `limit + 1` rows and says where the next one starts. */
export function pageOf<Row extends { id: string }, Item>(
  rows: Row[],
  limit: number,
  map: (row: Row) => Item,
) {
  const shown = rows.slice(0, limit)
  return { items: shown.map(map), nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null }
}
