/** Configuration of test runners that may live in package.json. */
const runnerKeys = [
  'jest',
  'vitest',
  'mocha',
  'ava',
  'nyc',
  'c8',
  'tap',
  'jasmine',
  'karma',
  'babel',
  'playwright',
]

/** What a merge takes from the base; which scripts depends on what the test script calls. */
export const manifestKeys: string[] = ['scripts.test', 'scripts.pretest', 'scripts.posttest', ...runnerKeys]

type Manifest = Record<string, unknown> & { scripts?: Record<string, unknown> }

/** What `npm init` writes: a script that is there and tests nothing. */
export function isPlaceholder(script: string): boolean {
  return /no test specified/.test(script) || script.trim() === ''
}

/**
 * The run's package.json with the keys that define the proof as they are in the base: `test`, every script that it or
 * a check calls, their `pre…` and `post…` scripts (absent in the base means absent), and runner configuration. When
 * the base has no real `test` script, there is none to protect and the run's stays.
 *
 * Null when either text is not a manifest: then the whole file comes from the base.
 */
export function mergeManifest(
  baseText: string,
  commitText: string,
  commands: readonly string[],
): { text: string; keys: string[] } | null {
  const base = parseManifest(baseText)
  const commit = parseManifest(commitText)
  if (base === null || commit === null) return null
  const keys: string[] = []
  const scripts: Record<string, unknown> = { ...commit.scripts }
  for (const name of protectedScripts(base, commands)) {
    if (scripts[name] === base.scripts?.[name]) continue
    keys.push(`scripts.${name}`)
    put(scripts, name, base.scripts?.[name])
  }
  const merged: Manifest = { ...commit }
  for (const key of runnerKeys) {
    if (JSON.stringify(merged[key]) === JSON.stringify(base[key])) continue
    keys.push(key)
    put(merged, key, base[key])
  }
  if (commit.scripts !== undefined || Object.keys(scripts).length > 0) merged.scripts = scripts
  return { text: `${JSON.stringify(merged, null, 2)}\n`, keys }
}

/** The command lines of the base that decide whether the tests pass. */
export function protectedCommands(baseText: string, commands: readonly string[]): string[] {
  const base = parseManifest(baseText)
  if (base === null) return []
  const scripts = protectedScripts(base, commands).map((name) => base.scripts?.[name])
  return scripts.filter((script) => typeof script === 'string')
}

function protectedScripts(base: Manifest, commands: readonly string[]): string[] {
  const script = (name: string) => {
    const text = base.scripts?.[name]
    return typeof text === 'string' && !isPlaceholder(text) ? text : undefined
  }
  const open = commands.flatMap(calledScripts)
  if (script('test') !== undefined) open.push('test')
  const found = new Set<string>()
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || (script(name) === undefined && !isHook(name, found))) continue
    found.add(name)
    open.push(`pre${name}`, `post${name}`, ...calledScripts(script(name) ?? ''))
  }
  return [...found]
}

/** A hook of a protected script is protected by being absent, too. */
function isHook(name: string, found: ReadonlySet<string>): boolean {
  const owner = /^(?:pre|post)(.+)$/.exec(name)?.[1]
  return owner !== undefined && found.has(owner) && !/^(pre|post)/.test(owner)
}

const installHooks = ['preinstall', 'install', 'postinstall', 'prepare']

/** The names of scripts that a command line runs, as npm, yarn, pnpm, bun and node write it. */
export function calledScripts(command: string): string[] {
  const names: string[] = []
  const calls =
    /\b(npm|pnpm|yarn|bun)\s+((?:-{1,2}[\w=-]+\s+)*)(run-script\s+|run\s+|rum\s+)?((?:-{1,2}[\w=-]+\s+)*)([\w:./-]+)/g
  for (const [, , , run, , name = ''] of command.matchAll(calls)) {
    if (run === undefined && (name === 'ci' || name === 'install' || name === 'i'))
      names.push(...installHooks)
    else names.push(run === undefined && (name === 't' || name === 'tst') ? 'test' : name)
  }
  for (const [, name = ''] of command.matchAll(/\bnode\s+(?:-\S+\s+)*--run[\s=]+([\w:./-]+)/g))
    names.push(name)
  for (const [, list = ''] of command.matchAll(/\b(?:npm-run-all2?|run-s|run-p|concurrently)\s+([^&|;]+)/g)) {
    names.push(
      ...list
        .split(/\s+/)
        .map((word) => word.replace(/^["']?(?:npm:)?|["']$/g, ''))
        .filter(Boolean),
    )
  }
  return names
}

function parseManifest(text: string): Manifest | null {
  try {
    const value: unknown = JSON.parse(text)
    if (!isRecord(value)) return null
    return value['scripts'] === undefined || isRecord(value['scripts']) ? (value as Manifest) : null
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function put(target: Record<string, unknown>, key: string, value: unknown) {
  if (value === undefined) delete target[key]
  else target[key] = value
}
