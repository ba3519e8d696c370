import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLogFile } from './log-file.ts'

const sizes = { bytes: 10 * 1024 * 1024, files: 5 }
const directory = () => mkdtempSync(join(tmpdir(), 'muster-log-'))

test('lines are on disk as soon as they are written, also those of an earlier start', () => {
  const dir = directory()
  openLogFile(dir, 'hub', sizes).write('one\n')
  openLogFile(dir, 'hub', sizes).write('two\n')
  expect(readFileSync(join(dir, 'hub.log'), 'utf8')).toBe('one\ntwo\n')
})

test('at its largest a new file begins, and as many as asked for are kept', () => {
  const dir = directory()
  const log = openLogFile(dir, 'hub', sizes)
  const piece = Buffer.alloc(6 * 1024 * 1024, 'x')
  for (let i = 0; i < 8; i++) log.write(piece)
  log.close()
  expect(statSync(log.path).size).toBe(piece.length)
  expect([1, 2, 3, 4].every((age) => existsSync(`${log.path}.${age}`))).toBe(true)
  expect(existsSync(`${log.path}.5`)).toBe(false)
})

test('a log is for its owner only', () => {
  expect(statSync(openLogFile(directory(), 'hub', sizes).path).mode & 0o777).toBe(0o600)
})

test('of thirty files of small size the oldest goes first', () => {
  const dir = directory()
  const log = openLogFile(dir, 'worker', { bytes: 10, files: 30 })
  for (let line = 1; line <= 40; line++) log.write(`line ${String(line).padStart(4, '0')}`)
  log.close()
  const read = (age: number) => readFileSync(age === 0 ? log.path : `${log.path}.${age}`, 'utf8')
  expect(Array.from({ length: 30 }, (_, age) => read(age))).toEqual(
    Array.from({ length: 30 }, (_, age) => `line ${String(40 - age).padStart(4, '0')}`),
  )
  expect(existsSync(`${log.path}.30`)).toBe(false)
})
