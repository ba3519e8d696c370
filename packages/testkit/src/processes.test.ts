import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { startProcess } from './processes.ts'

test('a line is found although it comes later, and the process is gone after kill', async () => {
  const started = startProcess('sh', ['-c', 'echo early; sleep 0.2; echo ready on 7; exec sleep 60'])
  expect(await started.line(/^ready/)).toBe('ready on 7')
  await started.kill()
  expect(await started.exited).toEqual({ code: null, signal: 'SIGKILL' })
  expect(() => process.kill(started.pid, 0)).toThrow('ESRCH')
})

test('waiting for a line of a process that ends without it fails at once and shows what it wrote', async () => {
  const started = startProcess('sh', ['-c', 'echo broken >&2; exit 3'])
  await expect(started.line(/ready/)).rejects.toThrow('broken')
  expect(await started.exited).toEqual({ code: 3, signal: null })
})

test('eventually answers the first good value and otherwise keeps the last error as the cause', async () => {
  let asked = 0
  expect(await eventually(() => (++asked > 2 ? asked : undefined))).toBe(3)
  const failing = eventually(() => Promise.reject(new Error('refused')), { timeoutMs: 30 })
  await expect(failing).rejects.toMatchObject({ cause: expect.objectContaining({ message: 'refused' }) })
})
