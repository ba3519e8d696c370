import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorTable } from '@muster/contract/errors'
import { expect, test } from 'vitest'
import { codeOf, errorBody, isDatabaseDown, isDatabaseTrouble, MusterError } from './errors.ts'

const root = join(import.meta.dirname, '../../../..')

// Said by workers as the code of a refusal; the hub only passes it on.
const saidByWorkers = ['sandbox_unavailable', 'disk_full', 'run_lost', 'wake_failed', 'worker_restarting']

function sources(): string {
  const parts = ['apps/hub/src', 'packages'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\/src\/|^(?!packages)/.test(path) && path.endsWith('.ts'))
      .filter((path) => !/\.test\.ts$|node_modules|contract\/src\/errors\.ts$/.test(path))
      .map((path) => readFileSync(join(root, folder, path), 'utf8')),
  )
  return parts.join('\n')
}

test('every code of the table is thrown somewhere', () => {
  const text = sources()
  const thrown = new Set([...text.matchAll(/(?<=')[a-z_]+(?=')/g)].map(([code]) => code))
  const codes = Object.keys(errorTable).filter((code) => !saidByWorkers.includes(code))
  expect(codes.filter((code) => !thrown.has(code))).toEqual([])
})

test('every refusal says what happened, what to do and where to read on, with a fitting status', () => {
  for (const [code, entry] of Object.entries(errorTable)) {
    expect(entry.hint.length, code).toBeGreaterThan(10)
    expect(entry.when.length, code).toBeGreaterThan(10)
    expect([400, 401, 402, 403, 404, 409, 413, 415, 421, 422, 429, 500, 502, 503, 504], code).toContain(
      entry.status,
    )
  }
  expect(errorBody(new MusterError('not_found', 'No task.'), 'r1')).toEqual({
    code: 'not_found',
    message: 'No task.',
    hint: errorTable.not_found.hint,
    docs: 'docs/errors.md#not_found',
    requestId: 'r1',
  })
})

test.each([
  [{ code: '08006' }, true],
  [{ code: '57P01' }, true],
  [{ code: '53300' }, true],
  [{ code: 'ECONNREFUSED' }, true],
  [new Error('Connection terminated unexpectedly'), true],
  [new Error('Client has encountered a connection error and is not queryable'), true],
  [new Error('Client was closed and is not queryable'), true],
  [new Error('timeout exceeded when trying to connect'), true],
  [{ code: '23505' }, false],
  [{ code: '40001' }, false],
  [{ code: '57014' }, true],
  [{ code: '25006' }, true],
  [new Error('something else'), false],
  [undefined, false],
  ['08006', false],
])('whether %j means that the database is away is %s', (error, down) => {
  expect(isDatabaseDown(error)).toBe(down)
})

test('a request that only the database kept from being done may be tried again as it is', () => {
  const codes = ['database_unavailable', 'database_full', 'stale_epoch', 'internal'] as const
  expect(codes.map((code) => isDatabaseTrouble(new MusterError(code, '')))).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(isDatabaseTrouble({ code: 'database_unavailable' })).toBe(false)
})

test('the code of what is no database error is undefined', () => {
  expect([codeOf(null), codeOf('x'), codeOf({ code: 5 }), codeOf({ code: '23505' })]).toEqual([
    undefined,
    undefined,
    undefined,
    '23505',
  ])
})
