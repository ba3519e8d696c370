import { commandsIn, type Command } from './commands-in.ts'
import { foldersOf } from './protected-paths.ts'
import { unknown, unset } from './shell-expand.ts'
import { advice, ruleBrokenBy, type Rule } from './rules.ts'

export type Verdict =
  | { ok: true }
  | {
      ok: false
      code: 'COMMAND_BLOCKED' | 'COMMAND_UNREADABLE'
      rule: Rule | 'hidden_command'
      error: string
    }

/**
 * Whether a command of an agent is run at all (TOOL-04, TOOL-07).
 *
 * The wall is the protection: it has no network, no privileges, no disks, and only the run's own files. This is the first
 * word about it, which ends honest mistakes early and tells the model what to do instead. So it reads a command as the shell
 * would, and looks at every program that it could start, but a program that was written to a file first is not read.
 *
 * Refused as COMMAND_UNREADABLE is only what hides a command: a text that the shell itself could not read; a name of a
 * command that is not written out (`$X`, `$(…)`, `r?`) and that nothing in the text gives a value; a text for `eval`, `sh -c`
 * or a shell's standard input that is not written out. Values in all other places are just values.
 */
export function judgeCommand(
  text: string,
  { network = false, cwd = '.' }: { network?: boolean; cwd?: string } = {},
): Verdict {
  // The marks of what is not known must not come from outside.
  const found = commandsIn(text.replaceAll(unknown, ' ').replaceAll(unset, ' '))
  const commands = found.filter((each): each is Command => 'name' in each)
  const folders = foldersOf(cwd, commands.flatMap(foldersChangedTo))
  for (const command of commands) {
    const rule = ruleBrokenBy(command, { network, folders })
    if (rule === undefined) continue
    const what = command.name === '' ? 'This' : `"${command.name.slice(0, 60)}" here`
    const error = `${what} is not allowed (${rule}). ${advice[rule]}`
    return { ok: false, code: 'COMMAND_BLOCKED', rule, error }
  }
  const hidden = found.find((each) => 'hidden' in each)
  if (hidden === undefined || !('hidden' in hidden)) return { ok: true }
  const error = `It cannot be seen what this runs: ${hidden.hidden}. Write every command out, one after the other.`
  return { ok: false, code: 'COMMAND_UNREADABLE', rule: 'hidden_command', error }
}

function foldersChangedTo({ name, args }: Command): string[] {
  if (name !== 'cd' && name !== 'pushd') return []
  const [target] = args.filter(({ text }) => !/^-./.test(text))
  return [target?.text ?? '~']
}
