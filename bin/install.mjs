// Brings what a bare clone lacks: the locked packages, and Node 24 where the machine's own is older.
// Plain JavaScript for Node >= 20: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The first Node major that strips types without a flag and that all locked packages accept. */
const neededMajor = 24

/**
 * Installs what is missing and returns the path of a Node that can run the sources.
 * Safe to call from several processes at once: one installs, the others wait for it.
 */
export function ensureInstalled() {
  const own = Number(process.versions.node.split('.')[0]) >= neededMajor
  const folders = [
    { path: root, what: 'the locked packages (about 200, from package-lock.json)' },
    ...(own
      ? []
      : [
          {
            path: join(root, 'tools/node'),
            what: `Node 24 (this machine has ${process.versions.node}; yours is left as it is)`,
          },
        ]),
  ]
  if (folders.some((f) => !isFresh(f.path))) {
    withLock(join(root, '.muster-install-lock'), () => {
      for (const folder of folders) if (!isFresh(folder.path)) install(folder)
    })
  }
  return own ? process.execPath : join(root, 'tools/node/node_modules', nodePackage(), 'bin/node')
}

function nodePackage() {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  return `${prefix}-${process.platform}-${process.arch}`
}

function stampOf(folder) {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
}

function stampFile(folder) {
  return join(folder, 'node_modules', '.muster-stamp')
}

function isFresh(folder) {
  return existsSync(stampFile(folder)) && readFileSync(stampFile(folder), 'utf8') === stampOf(folder)
}

function install({ path, what }) {
  const started = Date.now()
  process.stderr.write(`muster: installing ${what} …\n`)
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: path,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (result.status !== 0) {
    process.stderr.write(
      `${result.stderr ?? ''}\nmuster: "npm ci" failed in ${path}. ` +
        'Check the network and the free disk space, then run the same command again.\n',
    )
    process.exit(69)
  }
  writeFileSync(stampFile(path), stampOf(path))
  process.stderr.write(`muster: done in ${Math.round((Date.now() - started) / 1000)} s\n`)
}

/** A folder is the lock: mkdir is atomic. One older than ten minutes was left by a killed install. */
function withLock(lock, work) {
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > 600_000) rmdirSync(lock)
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  }
  const release = () => rmdirSync(lock, { maxRetries: 0 })
  const onSignal = () => {
    release()
    process.exit(130)
  }
  process.once('SIGINT', onSignal)
  try {
    work()
  } finally {
    process.off('SIGINT', onSignal)
    release()
  }
}
