import type { Command } from 'commander'

type Described = {
  name: string
  summary: string
  arguments: { name: string; required: boolean }[]
  options: { flags: string; summary: string; required: boolean }[]
  commands: Described[]
}

/** Always JSON: it is for programs that want to know what there is. */
export function describe(root: Command): void {
  process.stdout.write(`${JSON.stringify(describeCommand(root), null, 2)}\n`)
}

function describeCommand(command: Command): Described {
  return {
    name: command.name(),
    summary: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      required: argument.required,
    })),
    options: command.options.map((option) => ({
      flags: option.flags,
      summary: option.description,
      required: option.mandatory,
    })),
    commands: command.commands.map(describeCommand),
  }
}
