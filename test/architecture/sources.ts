import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export type Source = { path: string; text: string; lines: number; imports: string[]; isTest: boolean }

const skipped = new Set(['node_modules', 'dist', '.git', 'coverage'])

/** Every TypeScript file of packages, apps and test, with what it imports, types included. */
export function readSources(folders = ['packages', 'apps', 'test', 'tools']): Source[] {
  return folders.flatMap((folder) => walk(join(root, folder))).map(read)
}

function walk(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return []
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return walk(path)
    return /\.tsx?$/.test(entry.name) ? [path] : []
  })
}

function read(path: string): Source {
  const text = readFileSync(path, 'utf8')
  const own = relative(root, path)
  const found = text.matchAll(
    /^(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  const imports = [...found].map((match) => resolve(own, match[1] ?? match[2] ?? match[3] ?? ''))
  return { path: own, text, lines: text.split('\n').length - 1, imports, isTest: isTest(own) }
}

/** A path of this repository for relative and `@muster/` imports; the name itself for a library. */
function resolve(from: string, name: string): string {
  if (name.startsWith('.')) return relative(root, join(root, dirname(from), name))
  const own = /^@muster\/([^/]+)\/(.+)$/.exec(name)
  if (own === null) return name
  const [, workspace, file] = own
  const folder = ['hub', 'worker', 'cli', 'web'].includes(workspace ?? '') ? 'apps' : 'packages'
  return `${folder}/${workspace}/src/${file}.ts`
}

function isTest(path: string): boolean {
  return (
    /\.test\.tsx?$/.test(path) ||
    path.startsWith('test/') ||
    path.includes('/test-support/') ||
    /-test-\w+\.ts$|\.fixture\.ts$|\/conformance\.ts$|\/stub-hub\.ts$/.test(path)
  )
}

/** `packages/llm` or `apps/hub`; null for anything else. */
export function workspaceOf(path: string): string | null {
  return /^((?:packages|apps)\/[^/]+)\//.exec(path)?.[1] ?? null
}
