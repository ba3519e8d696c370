import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLogFile } from './log-file.ts'

const directory = () => mkdtempSync(join(tmpdir(), 'muster-log-'))

test('lines are on disk as soon as they are written, also those of an earlier start', () => {
  const dir = directory()
  openLogFile(dir, 'hub').write('one\n')
  openLogFile(dir, 'hub').write('two\n')
  expect(readFileSync(join(dir, 'hub.log'), 'utf8')).toBe('one\ntwo\n')
})

test('at 10 MB a new file begins, and five are kept', () => {
  const dir = directory()
  const log = openLogFile(dir, 'hub')
  const piece = Buffer.alloc(6 * 1024 * 1024, 'x')
  for (let i = 0; i < 8; i++) log.write(piece)
  log.close()
  expect(statSync(log.path).size).toBe(piece.length)
  expect([1, 2, 3, 4].every((age) => existsSync(`${log.path}.${age}`))).toBe(true)
  expect(existsSync(`${log.path}.5`)).toBe(false)
})

test('a log is for its owner only', () => {
  expect(statSync(openLogFile(directory(), 'hub').path).mode & 0o777).toBe(0o600)
})
