import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('outside a wall the tool program does not start', () => {
  const ran = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    input: '',
    encoding: 'utf8',
  })
  expect(ran).toMatchObject({ status: 71, stdout: '' })
})
