import { floors } from './floors.ts'
import { workspaceOf, type Source } from './sources.ts'

const begin = '<!-- picture: drawn from the imports by "npm run generate" -->'
const end = '<!-- /picture -->'

/** Workspaces and, inside the hub, rooms by floor, each with what it imports. */
export function drawPicture(sources: Source[]): string {
  const lines = ['```', 'workspaces']
  for (const [from, to] of grouped(sources, workspaceOf))
    lines.push(row(from.replace(/^\w+\//, ''), to.map(last)))
  lines.push('', 'rooms of the hub, by floor')
  const rooms = new Map(grouped(sources, (path) => /^apps\/hub\/src\/(\w+)\//.exec(path)?.[1] ?? null))
  for (const floor of [...new Set(Object.values(floors))].toSorted((a, b) => b - a)) {
    for (const room of Object.keys(floors).filter((name) => floors[name] === floor)) {
      lines.push(`  ${floor}${row(room, rooms.get(room) ?? [])}`)
    }
  }
  return [...lines, '```'].join('\n')
}

export function pictureIn(page: string): string {
  return page.slice(page.indexOf(begin) + begin.length, page.indexOf(end)).trim()
}

export function withPicture(page: string, picture: string): string {
  return `${page.slice(0, page.indexOf(begin) + begin.length)}\n${picture}\n${page.slice(page.indexOf(end))}`
}

function row(from: string, to: string[]): string {
  return `  ${from.padEnd(9)} ${to.length === 0 ? '·' : `→ ${to.join(', ')}`}`
}

const last = (path: string) => path.replace(/^\w+\//, '')

function grouped(sources: Source[], groupOf: (path: string) => string | null): [string, string[]][] {
  const groups = new Map<string, Set<string>>()
  for (const source of sources) {
    const from = groupOf(source.path)
    if (from === null || from === 'http') continue
    const to = groups.get(from) ?? new Set()
    groups.set(from, to)
    for (const name of source.imports.map(groupOf)) if (name !== null && name !== from) to.add(name)
  }
  return [...groups]
    .map(([from, to]): [string, string[]] => [from, [...to].toSorted()])
    .toSorted(([a], [b]) => a.localeCompare(b))
}
