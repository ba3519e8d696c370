import type { FailureClass } from '../model.ts'

/** The server answered with a status other than 2xx. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Headers
  constructor(status: number, headers: Headers, said: string) {
    super(said)
    this.status = status
    this.headers = headers
  }
}

/** What came is not what this protocol says, is too much, or reports an error in the middle. */
export class BrokenStream extends Error {
  /** A status that the stream itself named, since its own was 200 by then. */
  readonly status: number | undefined
  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

export class Silence extends Error {}

export class CallerAborted extends Error {}

/** A failure whose class is known where it happens. */
export class KnownFailure extends Error {
  readonly class: FailureClass
  readonly resetAt: Date | undefined
  constructor(failure: FailureClass, message: string, resetAt?: Date) {
    super(message)
    this.class = failure
    this.resetAt = resetAt
  }
}
