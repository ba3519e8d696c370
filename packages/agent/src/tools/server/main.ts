import { createCheckpoints, type Checkpoint } from './checkpoint.ts'
import { editFile, type EditFile } from './edit-file.ts'
import { listDirectory, type ListDirectory } from './list-directory.ts'
import { createPlaces } from './place.ts'
import { readFile, type ReadFile } from './read-file.ts'
import { Refusal } from './refusal.ts'
import { createCommands, type RunCommand } from './run-command.ts'
import { searchFiles, type SearchFiles } from './search-files.ts'
import { writeFile } from './write-file.ts'

/**
 * The tools of a run, inside its wall. One JSON of a line in, one out, one at a time. It imports nothing but Node, because
 * a wall has nothing else, and takes what it is told as checked: the worker outside is the one who does not trust.
 */

// After a command it kills everything that it may kill. Outside a wall that would be whatever the user has running.
if (process.ppid > 1 || process.getuid?.() !== 1000 || process.cwd() !== '/workspace') process.exit(71)

const places = createPlaces('/workspace')
const runCommand = createCommands(places, process.env)
const checkpoint = createCheckpoints(process.env)

const operations: Readonly<Record<string, (args: never) => unknown>> = {
  read_file: (args: ReadFile) => readFile(places, args),
  write_file: (args: { path: string; content: string }) => writeFile(places, args),
  edit_file: (args: EditFile) => editFile(places, args),
  list_directory: (args: ListDirectory) => listDirectory(places, args),
  search_files: (args: SearchFiles) => searchFiles(places, args),
  checkpoint: (args: Checkpoint) => checkpoint(args),
  run_command: (args: RunCommand) => runCommand(args),
}

type Request = { id: string; operation: string; args: never }

async function answer(line: string): Promise<void> {
  const { id, operation, args } = JSON.parse(line) as Request
  const result = await carryOut(operation, args)
  process.stdout.write(`${JSON.stringify({ id, ...result })}\n`)
}

async function carryOut(operation: string, args: never): Promise<object> {
  try {
    return { success: true, fields: await operations[operation]?.(args) }
  } catch (error) {
    if (error instanceof Refusal) {
      return { success: false, code: error.code, error: error.message, fields: error.fields }
    }
    return {
      success: false,
      code: 'TOOL_FAILED',
      error: error instanceof Error ? error.message : String(error),
    }
  }
}

/** One after the other: a file is not read while a command writes it. */
let before = Promise.resolve()
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (text: string) => {
  const lines = `${rest}${text}`.split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) before = before.then(() => answer(line))
})
process.stdin.on('end', () => process.exit(0))
process.stdout.write(`${JSON.stringify({ id: 'hello', success: true, fields: {} })}\n`)
