import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

// No installation takes longer; a pid that is older than this belongs to something else by now.
const longestMs = 900_000
// Between making the file and writing the pid into it.
const emptyMs = 5_000

/**
 * One installation at a time. The lock is a folder of generations 1, 2, 3, …; the owner is who made the highest one,
 * while it lives and has not said "released". Two starts that both find a dead owner try to make the same next number,
 * and the file system lets one win; nobody ever removes the highest one, so nobody can remove a living owner's lock.
 */
export async function takeLock(folder, onWait) {
  mkdirSync(folder, { recursive: true })
  for (let waited = false; ;) {
    const highest = highestIn(folder)
    if (isHeld(folder, highest)) {
      if (!waited) onWait()
      waited = true
      await sleep(300)
    } else if (make(folder, highest + 1)) {
      const path = join(folder, String(highest + 1))
      return {
        /** npm outlives us when we are killed -9, and goes on writing: it holds the lock as well. */
        share: (pid) => writeFileSync(path, `${process.pid} ${pid}`),
        release: () => writeFileSync(path, 'released'),
      }
    }
  }
}

function highestIn(folder) {
  return Math.max(0, ...generations(folder))
}

function generations(folder) {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function isHeld(folder, generation) {
  const path = join(folder, String(generation))
  const info = statSync(path, { throwIfNoEntry: false })
  if (info === undefined) return false
  const text = readFileSync(path, 'utf8')
  const age = Date.now() - info.mtimeMs
  if (text === '') return age < emptyMs
  return text !== 'released' && age < longestMs && text.split(' ').map(Number).some(isAlive)
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function make(folder, generation) {
  try {
    writeFileSync(join(folder, String(generation)), String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  // Somebody who came after us may have found our number free because it was tidied away below a higher one.
  if (highestIn(folder) !== generation) {
    rmSync(join(folder, String(generation)), { force: true })
    return false
  }
  for (const old of generations(folder))
    if (old < generation) rmSync(join(folder, String(old)), { force: true })
  return true
}
