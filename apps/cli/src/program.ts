import { Command } from 'commander'
import { addAdministration, addLifecycle } from './program-administration.ts'
import { addMessageCommands } from './program-message.ts'
import { addTaskCommands } from './program-task.ts'
import type { Define, Does } from './define.ts'
import type { Command as Action, Context } from './context.ts'
import { Failure, helpHint } from './failure.ts'

export type Shell = {
  version: string
  json: boolean
  width: number
  open(): Promise<Context>
}

export function createProgram(shell: Shell): { run(argv: string[]): Promise<number> } {
  let exit = 0
  const root = quiet(new Command('muster'), shell)
  root
    .description(
      'Turns tasks into verified branches: agents run behind a wall, the platform checks the result.',
    )
    .version(shell.version, '-V, --version', 'print the version')
    .option('--json', 'one JSON document on stdout; errors as JSON on stderr')
    .option('--no-color', 'no colours (also NO_COLOR, TERM=dumb or no terminal)')
    .addHelpText('after', examplesText(['npx muster up', 'npx muster task add --help']))
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 conflict, 6 findings,\n' +
        '  69 unavailable, 75 try again, 130 interrupted.',
    )

  const define: Define = (parent, syntax, summary, examples) =>
    quiet(parent.command(syntax), shell)
      .description(summary)
      .option('--json', 'one JSON document on stdout; errors as JSON on stderr')
      .option('--no-color', 'no colours')
      .addHelpText('after', examplesText(examples))

  const does: Does = (command, load) => {
    command.action(async (...given: unknown[]) => {
      // Commander passes the arguments, then the options, then the command.
      const words = given.slice(0, -2)
      const options = given.at(-2)
      const [action, context] = await Promise.all([load(), shell.open()])
      exit = await (action as unknown as Action<unknown, unknown[]>)(context, options, ...words)
    })
  }

  addLifecycle(root, define, does)
  addTaskCommands(root, define, does)
  addMessageCommands(root, define, does)
  addAdministration(root, define, does)
  return {
    async run(argv) {
      try {
        await root.parseAsync(argv)
        return exit
      } catch (error) {
        return ended(error)
      }
    },
  }
}

function examplesText(examples: string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`
}

function quiet(command: Command, shell: Shell): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ helpWidth: shell.width })
    .showSuggestionAfterError(true)
    .configureOutput({ outputError: () => {} })
}

/** Commander throws for help and version as well; those are no failures. A noun without a verb asks for help. */
function ended(error: unknown): number {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('commander.'))
    throw error
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return 0
  if (error.code === 'commander.help') return 2
  const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n')
  throw new Failure(
    'usage',
    `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, '.'),
    suggestion.replace(/^\(|\)$/g, '') || helpHint,
    2,
  )
}
