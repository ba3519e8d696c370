import { exec } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Observation, Toolbox } from '@muster/agent/loop/toolbox'
import { toolSpecs } from '@muster/agent/tools/specs'

const run = promisify(exec)

/** The same tools on the files directly, as a program without a wall would have them: what is there and no more. */
export function directToolbox(workspace: string): Toolbox {
  const at = (path: string) => join(workspace, path)

  async function use(name: string, args: Record<string, string>): Promise<Observation> {
    const { path = '.', content = '', old = '', new: by = '', command = '', pattern = '' } = args
    if (name === 'list_directory') {
      const entries = await readdir(at(path), { recursive: true })
      return { success: true, path, entries: entries.filter((each) => !each.startsWith('.git')).toSorted() }
    }
    if (name === 'read_file') {
      const text = await readFile(at(path), 'utf8')
      const lines = text.trimEnd().split('\n').length
      return { success: true, path, content: text, start_line: 1, end_line: lines, total_lines: lines }
    }
    if (name === 'search_files') return search(pattern, path)
    if (name === 'run_command') {
      const { stdout, stderr } = await run(command, { cwd: workspace })
      return { success: true, exit_code: 0, stdout, stderr }
    }
    const before = name === 'edit_file' ? await readFile(at(path), 'utf8') : undefined
    const text = before?.replace(old, by) ?? content
    await mkdir(dirname(at(path)), { recursive: true })
    await writeFile(at(path), text)
    return { success: true, path, changed: true }
  }

  async function search(pattern: string, path: string): Promise<Observation> {
    const found = new RegExp(pattern)
    const hits: { path: string; line: number; text: string }[] = []
    const entries = await readdir(at(path), { recursive: true, withFileTypes: true })
    const searched = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('.git'))
    for (const entry of searched) {
      const file = join(entry.parentPath, entry.name)
      const lines = (await readFile(file, 'utf8')).split('\n')
      for (const [index, text] of lines.entries()) {
        if (found.test(text)) hits.push({ path: file.slice(workspace.length + 1), line: index + 1, text })
      }
    }
    return { success: true, hits, files_searched: searched.length }
  }

  return { specs: toolSpecs, run: ({ name, args }) => use(name, args as Record<string, string>) }
}
