// Brings what a bare clone lacks: the locked packages, and Node 24 where the machine's own is older.
// Plain JavaScript for Node >= 20: it runs before anything is installed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { takeLock } from './install-lock.mjs'
import { runningFrom } from './running.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The first Node major that strips types without a flag and that all locked packages accept. */
const neededMajor = 24
const oldestMajor = 20

/**
 * Installs what is missing and answers the path of a Node that can run the sources.
 * Safe to call from several processes at once: one installs, the others wait for it.
 *
 * While Muster runs from here nothing is exchanged under it. A command that makes do with the packages as they are,
 * `down` above all, gets them; `asTheyAre: false` is for what needs those of the changed lock file.
 */
export async function ensureInstalled({ asTheyAre = false } = {}) {
  const major = Number(process.versions.node.split('.')[0])
  if (major < oldestMajor)
    end(69, `Node ${process.versions.node} is too old; install Node ${oldestMajor} or newer.`)
  const own = major >= neededMajor
  const packages = { path: root, what: 'the locked packages (about 200, from package-lock.json)' }
  const node = {
    path: join(root, 'tools/node'),
    what: `Node ${neededMajor} (this machine has ${process.versions.node}; yours is left as it is)`,
  }
  const folders = own ? [packages] : [packages, node]
  if (!folders.every(isFresh)) {
    const pid = folders.every(isWhole) ? runningFrom(root) : undefined
    if (pid === undefined) await installAll(folders)
    else if (!asTheyAre) end(75, `${changed(pid)}, then run this again.`)
    else say(`${changed(pid)} and start it again.`)
  }
  return own ? process.execPath : join(node.path, 'node_modules', nodePackage(), 'bin/node')
}

function changed(pid) {
  return (
    `package-lock.json has changed, and Muster runs from ${root} with the packages of before (process ${pid}).\n` +
    `        Stop it (npx muster down)`
  )
}

/** An installation that was finished has its stamp, of whatever lock file. */
function isWhole({ path }) {
  return existsSync(stampFile(path))
}

function nodePackage() {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  return `${prefix}-${process.platform}-${process.arch}`
}

function isFresh({ path }) {
  return existsSync(stampFile(path)) && readFileSync(stampFile(path), 'utf8') === stampOf(path)
}

function stampOf(path) {
  return createHash('sha256')
    .update(readFileSync(join(path, 'package-lock.json')))
    .digest('hex')
}

function stampFile(path) {
  return join(path, 'node_modules', '.muster-stamp')
}

async function installAll(folders) {
  let lock
  try {
    lock = await takeLock(join(root, '.muster-install-lock'), () =>
      say('another start is installing; waiting for it …'),
    )
  } catch (error) {
    return readOnly(error, folders)
  }
  try {
    for (const folder of folders) if (!isFresh(folder)) await install(folder, lock)
  } catch (error) {
    if (!(error instanceof InstallEnded)) throw error
    lock.release()
    end(error.exit, error.message)
  }
  lock.release()
}

/** An image or a system package may have installed everything beforehand, without our stamp. */
function readOnly(error, folders) {
  if (!['EROFS', 'EACCES', 'EPERM'].includes(error.code)) throw error
  if (folders.every(({ path }) => existsSync(join(path, 'node_modules/.package-lock.json')))) return
  end(
    69,
    `the packages are not installed, and ${root} cannot be written by this user (${error.code}).\n` +
      `        Make it writable, or run "npm ci" there as its owner.`,
  )
}

class InstallEnded extends Error {
  constructor(exit, message) {
    super(message)
    this.exit = exit
  }
}

async function install({ path, what }, lock) {
  const started = Date.now()
  say(`installing ${what} …`)
  // Gone first: a half-finished install must never look like a whole one.
  rmSync(stampFile(path), { force: true })
  const wanted = stampOf(path)
  const { code, output, interruptedBy } = await npmCi(path, lock)
  if (interruptedBy !== undefined) {
    const exit = 128 + constants.signals[interruptedBy]
    throw new InstallEnded(exit, 'the installation was interrupted; the next start does it again.')
  }
  if (code !== 0) throw new InstallEnded(69, `${output.trim()}\n\nmuster: ${explain(output, path)}`)
  writeFileSync(stampFile(path), wanted)
  say(`done in ${Math.round((Date.now() - started) / 1000)} s`)
}

/** A terminal's Ctrl-C reaches npm as well; other signals are passed on. Either way npm has ended when this answers. */
async function npmCi(path, lock) {
  // Development packages are part of it (the pages are built here), also where NODE_ENV says production.
  const child = spawn('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: path,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (child.pid !== undefined) lock.share(child.pid)
  let output = ''
  let interruptedBy
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const onSignal = (signal) => {
    interruptedBy = signal
    child.kill('SIGTERM')
  }
  for (const signal of signals) process.on(signal, onSignal)
  child.stderr.on('data', (piece) => {
    output = (output + piece).slice(-4_000)
  })
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message
      resolve(null)
    })
    child.once('close', resolve)
  })
  for (const signal of signals) process.off(signal, onSignal)
  return { code, output, interruptedBy }
}

function explain(output, path) {
  if (output.includes('spawn npm ENOENT'))
    return 'npm is not on PATH; install it beside Node, then try again.'
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET/.test(output)) {
    return 'the package registry cannot be reached. Connect this machine, or set npm\'s "registry" or "proxy", then run the same command again.'
  }
  if (output.includes('ENOSPC')) return 'the disk is full. Make room, then run the same command again.'
  return `"npm ci" failed in ${path}; its words are above. Run the same command again when that is put right.`
}

function say(text) {
  process.stderr.write(`muster: ${text}\n`)
}

function end(exit, text) {
  say(text)
  process.exit(exit)
}
