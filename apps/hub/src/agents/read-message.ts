import type { ErrorCode } from '@muster/contract/errors'
import { workerMessage, type WorkerMessage } from '@muster/contract/wire'

/** A message that does not fit the protocol. `to` is its id, when that much could be read. */
export type Unfit = { to: number | undefined; code: ErrorCode; message: string }

/**
 * Reads one message of a client that may be anybody's script, and says what is wrong with it in the words of the very
 * message. Whether it comes at the right time is looked at before its fields, because that is the nearer mistake.
 */
export function readMessage(text: string, identified: boolean): WorkerMessage | { unfit: Unfit } {
  const unfit = (code: ErrorCode, message: string, to?: number) => ({ unfit: { to, code, message } })
  const raw = parse(text)
  if (raw === undefined) return unfit('malformed_json', 'This is not JSON.')
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return unfit('invalid_message', 'A message is a JSON object.')
  }
  const { id, type } = raw as { id?: unknown; type?: unknown }
  const to = Number.isSafeInteger(id) ? (id as number) : undefined
  if (typeof type !== 'string') return unfit('invalid_message', 'type: must be a string', to)
  const named = JSON.stringify(type.slice(0, 64))
  if (!identified && type !== 'hello') {
    return unfit('hello_required', `The first message must be "hello" and not ${named}.`, to)
  }
  if (identified && type === 'hello')
    return unfit('already_identified', 'This connection has said hello.', to)
  const parsed = workerMessage.safeParse(raw)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') ?? ''
  if (field === 'type') return unfit('unknown_message_type', `There is no message of the type ${named}.`, to)
  return unfit('invalid_message', `${field}: ${issue?.message ?? 'does not fit'}`, to)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text, storable)
  } catch {
    return undefined
  }
}

/**
 * Commands print any bytes. What PostgreSQL cannot store is replaced here, because a report that is refused for it
 * would be sent again and again.
 */
function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value
}
