import { expect, test } from 'vitest'
import { matchPath, ownPath, paths } from './paths.ts'

test.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', null])(
  'the return path %j leads home, not to another origin',
  (path) => expect(ownPath(path)).toBe('/'),
)

test('the return path survives the way through the sign-in page', () => {
  const { pathname, search } = new URL(paths.signIn('/tasks/0a1b2c3d?x=1'), 'http://hub')
  expect(matchPath(pathname, search)).toEqual({ page: 'sign-in', next: '/tasks/0a1b2c3d?x=1' })
})

test('a filter is read back from the address it was written to', () => {
  const { pathname, search } = new URL(paths.tasks({ state: 'queued,waiting', repo: 'demo' }), 'http://hub')
  expect(matchPath(pathname, search)).toEqual({
    page: 'tasks',
    filter: { state: 'queued,waiting', repo: 'demo' },
  })
})

test('an address that names no page is not taken for one', () => {
  expect(matchPath('/tasks/NOT-AN-ID', '')).toEqual({ page: 'not-found' })
  expect(matchPath('/settings/else', '')).toEqual({ page: 'not-found' })
})
