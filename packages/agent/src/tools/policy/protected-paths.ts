import { posix } from 'node:path'
import { isUnknown, unset } from './shell-expand.ts'

const workspace = '/workspace'
const home = '/home/agent'

/** Where a text may be when it names a path: in the workspace, and wherever it changed to. */
export function foldersOf(start: string, changes: string[]): string[] {
  const from = posix.resolve(workspace, start)
  return [
    ...new Set([from, ...changes.map((path) => absolute(path, from)).filter((path) => !isUnknown(path))]),
  ]
}

function absolute(path: string, folder: string): string {
  return posix.resolve(folder, path.replace(/^~(?=\/|$)/, home).replace(/^~\w+/, '/home/other'))
}

type Protected = 'system' | 'home' | 'repository'

/**
 * What removing or opening up would end the machine, the home or the repository: the root and the folders right below it,
 * a home, the workspace itself and its `.git`. Undefined for everything else.
 */
export function protectedBy(path: string, folders: string[]): Protected | undefined {
  // A variable that nobody set is empty, and "$X/*" is the root.
  const known = [`${unset}/`, `${unset}/*`, `${unset}/.*`].includes(path) ? path.slice(unset.length) : path
  if (known === '' || isUnknown(known)) return undefined
  for (const folder of folders) {
    const full = absolute(known, folder)
    const kind = kindOf(full)
    if (kind !== undefined) return kind
  }
  return undefined
}

function kindOf(path: string): Protected | undefined {
  // `/*`, `/.*`, `/usr/*`: as the folder itself.
  const isAll = /\/(\*+|\.\*|\.?\[.*|\{.*|\?+\*?|\.\?\?\*)$/.test(path)
  const whole = isAll ? posix.dirname(path) : path
  if (/^\/workspace\/\.git(\/|$)/.test(whole)) return 'repository'
  if (whole === workspace) return isAll && !path.endsWith('/.*') ? undefined : 'repository'
  if (whole === '/' || (/^\/[^/]+$/.test(whole) && !/^\/(tmp|workspace)$/.test(whole)))
    return whole === '/root' || whole === '/home' ? 'home' : 'system'
  if (/^\/home\/[^/]+$/.test(whole)) return 'home'
  return /^\/(usr|var|etc|lib|opt)\/(bin|sbin|lib|lib64|local|share|log|cache|ssl)$/.test(whole)
    ? 'system'
    : undefined
}
