import type { ToolSpec } from '@muster/llm/model'

export type Field = {
  type: 'string' | 'integer' | 'boolean'
  description: string
  required?: true
  minimum?: number
  maximum?: number
}

export type ToolName =
  | 'read_file'
  | 'write_file'
  | 'edit_file'
  | 'list_directory'
  | 'search_files'
  | 'run_command'

/** What a tool takes. The words are for a small model: short, with an example where one says more. */
export const tools: Readonly<Record<ToolName, { description: string; fields: Record<string, Field> }>> = {
  read_file: {
    description: 'Read a text file. Long files are cut; read on with start_line.',
    fields: {
      path: { type: 'string', description: 'Path from the workspace, such as src/main.js', required: true },
      start_line: { type: 'integer', description: 'First line to read, from 1', minimum: 1 },
      end_line: { type: 'integer', description: 'Last line to read', minimum: 1 },
    },
  },
  write_file: {
    description: 'Write a whole file. It is made, with its folders, or replaced.',
    fields: {
      path: { type: 'string', description: 'Path from the workspace', required: true },
      content: { type: 'string', description: 'The whole new content', required: true },
    },
  },
  edit_file: {
    description: 'Replace text in a file. `old` must be in the file exactly as given, exactly once.',
    fields: {
      path: { type: 'string', description: 'Path from the workspace', required: true },
      old: { type: 'string', description: 'The text to replace, with its whitespace', required: true },
      new: { type: 'string', description: 'The text to put in its place', required: true },
      all: { type: 'boolean', description: 'Replace every occurrence' },
    },
  },
  list_directory: {
    description: 'List files and folders. Folders end with a slash.',
    fields: {
      path: { type: 'string', description: 'Path from the workspace; "." when absent' },
      depth: { type: 'integer', description: 'How deep, 1 to 5; 1 when absent', minimum: 1, maximum: 5 },
    },
  },
  search_files: {
    description: 'Find lines that match a regular expression, in all files of a folder.',
    fields: {
      pattern: { type: 'string', description: 'JavaScript regular expression', required: true },
      path: { type: 'string', description: 'File or folder; the workspace when absent' },
      glob: { type: 'string', description: 'Only files like this, such as *.ts or src/**/*.py' },
    },
  },
  run_command: {
    description:
      'Run a shell command in the workspace. It has no network and no input, and leaves no process behind.',
    fields: {
      command: { type: 'string', description: 'Such as npm test', required: true },
      timeout_s: { type: 'integer', description: 'Seconds it may take; 30 when absent', minimum: 1 },
      cwd: { type: 'string', description: 'Folder to run it in; the workspace when absent' },
    },
  },
}

/** The form that Ollama and OpenAI take, without their envelope. */
export const toolSpecs: ToolSpec[] = Object.entries(tools).map(([name, { description, fields }]) => ({
  name,
  description,
  parameters: {
    type: 'object',
    properties: Object.fromEntries(
      // Left out of the JSON where there is none.
      Object.entries(fields).map(([field, spec]) => [field, { ...spec, required: undefined }]),
    ),
    required: Object.entries(fields).flatMap(([field, { required }]) => (required ? [field] : [])),
    additionalProperties: false,
  },
}))
