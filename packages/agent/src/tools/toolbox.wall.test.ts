import { expect, test } from 'vitest'
import { newToolbox } from './toolbox.fixture.ts'

test('a file that is written can be read, and a command sees it', async () => {
  const { call } = await newToolbox()
  expect(await call('write_file', { path: 'src/deep/a.txt', content: 'one\ntwo\n' })).toEqual({
    success: true,
    path: 'src/deep/a.txt',
    bytes: 8,
    created: true,
    changed: true,
  })
  expect(await call('read_file', { path: '/workspace/src/deep/a.txt' })).toMatchObject({
    success: true,
    content: 'one\ntwo\n',
    total_lines: 2,
  })
  expect(
    await call('run_command', { command: 'cat a.txt; echo err > /dev/stderr', cwd: 'src/deep' }),
  ).toMatchObject({
    success: true,
    exit_code: 0,
    stdout: 'one\ntwo\n',
    stderr: 'err\n',
  })
})
