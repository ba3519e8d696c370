/** A refusal of the hub to one message; `code` as in the contract's table. */
export class WireError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'WireError'
    this.code = code
  }
}
