import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The process of a Muster that runs from this checkout and stays: `up`, `worker join`, or one of their parts, whatever
 * data directory it has. It loads sources and packages while it runs, so they must not be exchanged under it.
 */
export function runningFrom(root) {
  return processes().find(({ pid, words }) => pid !== process.pid && isLasting(root, words))?.pid
}

/** `words` as the process was started. A word of ours is a whole path: a checkout beside this one begins alike. */
function isLasting(root, words) {
  if (
    words.includes(join(root, 'apps/hub/src/main.ts')) ||
    words.includes(join(root, 'apps/worker/src/main.ts'))
  )
    return true
  const cli = words.indexOf(join(root, 'apps/cli/src/main.ts'))
  return cli !== -1 && startsWhatStays(words.slice(cli + 1))
}

/** `up` and `worker join`, with or without options before them. */
export function startsWhatStays(words) {
  const [noun, verb] = words.filter((word) => !word.startsWith('-'))
  return noun === 'up' || (noun === 'worker' && verb === 'join')
}

function processes() {
  if (process.platform !== 'linux') return fromPs()
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), words: commandOf(name) }))
}

function commandOf(pid) {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0')
  } catch {
    // It ended while we looked.
    return []
  }
}

/** Words with spaces are torn apart here; a checkout with a space in its path is then not seen to run. */
function fromPs() {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => {
    const [pid, ...words] = line.trim().split(/\s+/)
    return { pid: Number(pid), words }
  })
}
