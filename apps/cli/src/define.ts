import type { Command } from 'commander'
import type { Command as Action } from './context.ts'

/** Makes one command: what it does is imported only when it is run, so that --help and --version stay quick. */
export type Define = (
  parent: Command,
  syntax: string,
  summary: string,
  examples: [string, string, ...string[]],
) => Command
export type Does = <Options, Args extends readonly string[]>(
  command: Command,
  load: () => Promise<Action<Options, Args>>,
) => void
