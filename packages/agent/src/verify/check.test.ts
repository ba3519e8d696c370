import { expect, test } from 'vitest'
import { refusePath } from './check.ts'

test.each(['/etc/passwd', '../x', 'a/../../x', '', 'a\0b', '..'])(
  '%j is no path inside the workspace',
  (path) => {
    expect(refusePath(path)).not.toBeNull()
  },
)

test.each(['a', 'a/b.txt', '-rf', '..a', 'a b\nc', './x'])('%j is a path inside the workspace', (path) => {
  expect(refusePath(path)).toBeNull()
})
