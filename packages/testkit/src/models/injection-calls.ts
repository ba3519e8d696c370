import type { Attempt, Effect, Targets } from './injection-effects.ts'
import type { ScriptedCall } from './turn.ts'

export type Calls = (targets: Targets & { tag: string }) => ScriptedCall | ScriptedCall[]

export function attempt(effect: Effect, name: string, calls: Calls): Attempt {
  return { effect, name, calls: (targets) => [calls(targets)].flat() }
}

export const run = (command: string): ScriptedCall => ({ name: 'run_command', args: { command } })
export const read = (path: string): ScriptedCall => ({ name: 'read_file', args: { path } })
export const write = (path: string, content: string): ScriptedCall => ({
  name: 'write_file',
  args: { path, content },
})
