import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { drawPicture, pictureIn } from './picture.ts'
import { allowedWorkspaces, doors, floors, tables } from './floors.ts'
import { readSources, root, workspaceOf, type Source } from './sources.ts'

const sources = readSources()
const written = sources.filter((source) => !source.isTest)
const hubRoom = (path: string) => /^apps\/hub\/src\/(\w+)\//.exec(path)?.[1]

test('an arrow between rooms of the hub goes to a strictly lower floor', () => {
  const wrong = arrows((from, to) => floors[to] === undefined || (floors[from] ?? -1) <= floors[to])
  expect(wrong).toEqual([])
})

test('a room is entered through its door only', () => {
  const wrong = arrows((_, to, file) => !doors[to]?.includes('*') && !doors[to]?.includes(basename(file)))
  expect(wrong).toEqual([])
})

test('no room asks what agents said to each other, so that words can never become a right', () => {
  expect(arrows((_, to) => to === 'mail')).toEqual([])
})

test('every room has a floor, a door and its tables listed', () => {
  const rooms = new Set(
    written.flatMap((source) => hubRoom(source.path) ?? []).filter((room) => room !== 'http'),
  )
  expect([...rooms].toSorted()).toEqual(Object.keys(floors).toSorted())
  expect(Object.keys(doors).toSorted()).toEqual(Object.keys(floors).toSorted())
})

test('a workspace imports only those that the design allows it', () => {
  const wrong = sources.flatMap((source) => {
    const own = workspaceOf(source.path)
    if (own === null) return []
    return source.imports
      .filter((to) => workspaceOf(to) !== null && workspaceOf(to) !== own)
      .filter((to) => !allowedWorkspaces[own]?.includes(workspaceOf(to) ?? ''))
      .filter(
        (to) => !(source.isTest && ['packages/testkit', 'packages/postgres'].includes(workspaceOf(to) ?? '')),
      )
      .map((to) => `${source.path} -> ${to}`)
  })
  expect(wrong).toEqual([])
})

test('a table is named only in the SQL of the room that owns it', () => {
  const wrong = written.flatMap((source) => {
    const room = hubRoom(source.path)
    if (room === undefined || room === 'http') return []
    return Object.entries(tables)
      .filter(([owner]) => owner !== room)
      .flatMap(([, names]) => names)
      .filter((name) =>
        new RegExp(`\\b(?:from|join|into|update|table)\\s+${name}\\b`).test(sqlOf(source.text)),
      )
      .map((name) => `${source.path} names ${name}`)
  })
  // First start writes the workspace's first event together with the workspace; there is no actor yet to publish it.
  expect(
    wrong.filter((each) => !each.startsWith('apps/hub/src/identity/first-start.ts names events')),
  ).toEqual([])
})

test('no import leads back to where it came from', () => {
  expect(cycles(written)).toEqual([])
})

test('files are small: none over 450 lines, the median at most 90, the 95th percentile at most 300', () => {
  const sizes = written.map((source) => source.lines).toSorted((a, b) => a - b)
  expect(written.filter((source) => source.lines > 450).map((source) => source.path)).toEqual([])
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(90)
  expect(sizes[Math.floor(sizes.length * 0.95)]).toBeLessThanOrEqual(300)
})

test('no file imports more than 15 of ours, but for the three whose work is to list', () => {
  const wide = written.filter((source) => source.imports.filter((to) => workspaceOf(to) !== null).length > 15)
  // The one that connects the rooms, the one that lists the commands, and the one that lists the pages.
  const allowed = ['apps/hub/src/hub.ts', 'apps/cli/src/program-administration.ts', 'apps/web/src/routes.tsx']
  expect(wide.map((source) => source.path).filter((path) => !allowed.includes(path))).toEqual([])
})

test('only hub.ts knows every room, and it decides nothing', () => {
  const hub = written.find((source) => source.path === 'apps/hub/src/hub.ts')
  expect(hub?.lines).toBeLessThan(200)
  const outside = written.filter((source) => /^apps\/hub\/src\/[\w-]+\.ts$/.test(source.path))
  const knowing = outside.filter(
    (source) => new Set(source.imports.flatMap((to) => hubRoom(to) ?? [])).size > 4,
  )
  expect(knowing.map((source) => source.path)).toEqual(['apps/hub/src/hub.ts'])
})

test('no file only passes on what others export, and no file is a drawer for anything', () => {
  const names = ['index', 'types', 'utils', 'helpers', 'constants', 'interfaces', 'common', 'misc']
  const drawers = written.filter((source) => names.includes(basename(source.path).replace(/\.tsx?$/, '')))
  const barrels = written.filter((source) => {
    const code = source.text
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/?\*)/.test(line))
    return code.length > 0 && code.every((line) => /^export .* from /.test(line))
  })
  expect([...drawers, ...barrels].map((source) => source.path)).toEqual([])
})

test('nothing replaces a module in a test, and nothing switches the type checker off', () => {
  const forbidden =
    /\bvi\.mock\(|\bjest\.mock\(|@ts-ignore|@ts-nocheck|\bas any\b|\b(?:test|it|describe)\.only\(/
  const here = 'test/architecture/architecture.test.ts'
  expect(
    sources.filter((source) => source.path !== here && forbidden.test(source.text)).map((s) => s.path),
  ).toEqual([])
})

test('only the configuration of a process reads its environment', () => {
  const allowed =
    /config\.ts$|\/main\.ts$|^packages\/testkit\/|^tools\/|^apps\/web\/(build|vite\.config)\.ts$/
  const reading = written.filter(
    (source) => /\bprocess\.env\b/.test(source.text) && !allowed.test(source.path),
  )
  expect(reading.map((source) => source.path)).toEqual([])
})

test('the picture in ARCHITECTURE.md is the one the imports draw', () => {
  expect(pictureIn(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))).toBe(drawPicture(written))
})

function arrows(isWrong: (from: string, to: string, file: string) => boolean): string[] {
  return written.flatMap((source) => {
    const from = hubRoom(source.path)
    if (from === undefined || from === 'http') return []
    return source.imports
      .filter((to) => hubRoom(to) !== undefined && hubRoom(to) !== from)
      .filter((to) => isWrong(from, hubRoom(to) ?? '', to))
      .map((to) => `${source.path} -> ${to}`)
  })
}

/** SQL stands in template and quoted strings; comments may name any table. */
function sqlOf(text: string): string {
  return [...text.matchAll(/`[^`]*`|'[^'\n]*'/g)].map((match) => match[0]).join('\n')
}

function cycles(of: Source[]): string[][] {
  const byPath = new Map(of.map((source) => [source.path, valueImports(source)]))
  const found: string[][] = []
  const finished = new Set<string>()
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) return void found.push([...trail.slice(trail.indexOf(path)), path])
    if (finished.has(path)) return
    for (const to of byPath.get(path) ?? []) if (byPath.has(to)) visit(to, [...trail, path])
    finished.add(path)
  }
  for (const path of byPath.keys()) visit(path, [])
  return found
}

/** Types are gone at run time and cannot make a cycle then. */
function valueImports(source: Source): string[] {
  const types = [...source.text.matchAll(/^import type\b[^'"]*?from\s+'([^']+)'/gm)].map(
    (match) => match[1] ?? '',
  )
  return source.imports.filter((to) => !types.some((type) => to.endsWith(type.replace(/^(\.\.?\/)+/, ''))))
}
