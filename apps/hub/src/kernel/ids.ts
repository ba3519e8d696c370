import { v7 } from 'uuid'

/** Time-ordered ids keep index inserts local; only the database's clock decides anything. */
export function newId(): string {
  return v7()
}
