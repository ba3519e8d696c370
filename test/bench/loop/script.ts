import type { ToolCall } from '@muster/llm/model'

/** A repository as a small task finds it. */
export const files: Record<string, string> = {
  'package.json': '{ "name": "shop", "type": "module", "scripts": { "test": "node --test" } }\n',
  'README.md': '# Shop\n\nPrices are whole cents.\n',
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, at) => [
      `src/rules/rule-${at}.js`,
      `// Rule ${at}\nexport const rule${at} = (cents) => cents + ${at}\n`.repeat(8),
    ]),
  ),
  'src/price.js': 'export const price = (cents) => cents\n'.repeat(30),
}

/**
 * What the model calls, one call an answer; after the last it answers. Commands are short ones, because what they do takes
 * the same time whoever asks for it.
 */
export const script: Omit<ToolCall, 'id'>[] = [
  { name: 'list_directory', args: { path: '.', depth: 3 } },
  { name: 'search_files', args: { pattern: 'rule7\\b' } },
  { name: 'read_file', args: { path: 'src/price.js' } },
  { name: 'run_command', args: { command: 'wc -l src/price.js' } },
  { name: 'write_file', args: { path: 'src/round.js', content: 'export const round = Math.floor\n' } },
  { name: 'read_file', args: { path: 'src/round.js' } },
  { name: 'edit_file', args: { path: 'src/round.js', old: 'Math.floor', new: 'Math.round' } },
  { name: 'run_command', args: { command: 'cat src/round.js' } },
  { name: 'read_file', args: { path: 'README.md' } },
  { name: 'edit_file', args: { path: 'README.md', old: 'whole cents', new: 'rounded to whole cents' } },
  { name: 'search_files', args: { pattern: 'round', path: 'src' } },
  { name: 'write_file', args: { path: 'src/main.js', content: "export { round } from './round.js'\n" } },
  { name: 'run_command', args: { command: 'ls src' } },
  { name: 'read_file', args: { path: 'src/main.js' } },
]

export const answer = 'Prices are rounded now; src/round.js does it and src/main.js exports it.'
