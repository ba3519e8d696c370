import type { FailureClass, ModelFailure } from '../model.ts'
import { BrokenStream, CallerAborted, KnownFailure, Refusal, Silence } from './faults.ts'
import { resetTime } from './reset-time.ts'
import { safeText } from './safe-text.ts'

export type Circumstances = {
  /** The server had begun to answer: from then on a failure is an answer that was cut off. */
  begun: boolean
  /** Where it was asked, for a person. */
  place: string
  secrets: string[]
  now: Date
}

/** What went wrong, in one of our classes. Anything may be thrown at it. */
export function classify(error: unknown, at: Circumstances): ModelFailure {
  const failure = read(error, at)
  return { ...failure, message: safeText(failure.message, at.secrets) }
}

function read(thrown: unknown, at: Circumstances): ModelFailure {
  // The SDK wraps what its fetch throws.
  const error = [...chain(thrown)].find(isFault) ?? thrown
  if (error instanceof KnownFailure) {
    return { class: error.class, message: error.message, ...(error.resetAt && { resetAt: error.resetAt }) }
  }
  if (error instanceof CallerAborted) return { class: 'aborted', message: 'The caller ended it.' }
  if (error instanceof Refusal) return refusal(error, at)
  if (error instanceof Silence) {
    return { class: at.begun ? 'cut_off' : 'unavailable', message: `${at.place}: ${error.message}` }
  }
  const text = wholeMessage(error)
  if (at.begun) return { class: 'cut_off', message: `${at.place} stopped in the middle: ${text}` }
  if (error instanceof BrokenStream) return reported(error, at)
  const isRequest = codes(error).includes('ERR_INVALID_URL') || isOurMistake(error)
  return { class: isRequest ? 'invalid_request' : 'unavailable', message: `${at.place}: ${text}` }
}

const isFault = (error: unknown): boolean =>
  [KnownFailure, CallerAborted, Refusal, Silence, BrokenStream].some((fault) => error instanceof fault)

function refusal(error: Refusal, at: Circumstances): ModelFailure {
  const failureClass = classOfStatus(error.status, error.message)
  const said = error.message.trim() === '' ? '' : `: ${error.message}`
  const resetAt = failureClass === 'quota' ? resetTime(error.headers, at.now) : undefined
  return {
    class: failureClass,
    message: `${at.place} answered ${error.status}${said}`,
    status: error.status,
    ...(resetAt && { resetAt }),
  }
}

/** An error inside of a stream that had status 200: its text is all that tells what it is. */
function reported(error: BrokenStream, at: Circumstances): ModelFailure {
  const known = error.status === undefined ? undefined : classOfStatus(error.status, error.message)
  return {
    class: known ?? (hasNoRoom(error.message) ? 'busy' : 'unavailable'),
    message: `${at.place}: ${error.message}`,
    ...(error.status !== undefined && { status: error.status }),
  }
}

const hasNoRoom = (text: string): boolean => /server busy|overloaded|maximum pending requests/i.test(text)

export function classOfStatus(status: number, text: string): FailureClass {
  if (status === 503 || status === 529) return 'busy'
  if (status === 429) return hasNoRoom(text) ? 'busy' : 'quota'
  // Accounts without credit, as gateways for many models say it.
  if (status === 402) return 'quota'
  if (status >= 500 || status === 408 || status === 425 || status === 499) return 'unavailable'
  return 'invalid_request'
}

/** `fetch` says "fetch failed" and hides the reason in a chain of causes. */
function* chain(error: unknown): Generator<unknown> {
  let at = error
  for (let depth = 0; depth < 8 && at !== undefined && at !== null; depth++) {
    yield at
    at = at instanceof Error ? at.cause : undefined
  }
}

const codes = (error: unknown): string[] =>
  [...chain(error)].flatMap((e) =>
    typeof e === 'object' && e !== null && 'code' in e && typeof e.code === 'string' ? [e.code] : [],
  )

function wholeMessage(error: unknown): string {
  const parts: string[] = []
  for (const e of chain(error)) {
    const inner = e instanceof AggregateError ? e.errors.map(String).join('; ') : ''
    const text = e instanceof Error ? e.message || inner || e.name : String(e)
    if (!parts.some((part) => part.includes(text))) parts.push(text)
  }
  const code = codes(error).at(-1)
  const text = parts.join(': ')
  return code === undefined || text.includes(code) ? text : `${text} (${code})`
}

/** The SDK refuses prompts that it cannot translate before it sends anything. */
const isOurMistake = (error: unknown): boolean =>
  error instanceof Error &&
  /^AI_(InvalidPrompt|InvalidArgument|UnsupportedFunctionality|LoadAPIKey)/.test(error.name)
