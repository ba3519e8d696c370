import { v7 } from 'uuid'

/** Time-ordered ids keep index inserts local; only the database's clock decides anything. */
export function newId(): string {
  return v7()
}

/** Whether PostgreSQL will take this for an id; anything else would fail the whole statement. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
