import type { Config } from './config.ts'
import type { Hub } from './connection.ts'
import type { Output } from './output.ts'

/** What a command is given. */
export type Context = {
  readonly config: Config
  readonly output: Output
  /** Finds the hub and the token on first use; a command that needs neither never asks. */
  hub(): Promise<Hub>
}

/** Answers the exit code. */
export type Command<Options, Args extends readonly unknown[] = []> = (
  context: Context,
  options: Options,
  ...args: Args
) => Promise<number>
