import type { Command } from '../context.ts'
import type { Colour, Output } from '../output.ts'
import { neutralise } from '../terminal-text.ts'

/** To a pipe or a file the diff goes byte for byte, so that git can apply it. */
export const printDiff: Command<object, [string]> = async ({ output, ...context }, _options, ref) => {
  const hub = await context.hub()
  const found = await hub.call('taskDiff', { params: { task: ref } })
  if (output.json) {
    output.document(found)
    return 0
  }
  if (found.diff === '') output.note('It changed nothing.')
  output.data(output.terminal ? coloured(output, neutralise(found.diff)) : found.diff)
  if (found.truncated) output.note(`There is more than shown here; all of it: git show ${found.branch ?? ''}`)
  return 0
}

function coloured(output: Output, diff: string): string {
  return diff
    .split('\n')
    .map((line) => {
      const colour = colourOf(line)
      return colour === undefined ? line : output.paint(colour, line)
    })
    .join('\n')
}

function colourOf(line: string): Colour | undefined {
  if (/^(diff |index |--- |\+\+\+ )/.test(line)) return 'bold'
  if (line.startsWith('@@')) return 'cyan'
  if (line.startsWith('+')) return 'green'
  return line.startsWith('-') ? 'red' : undefined
}
