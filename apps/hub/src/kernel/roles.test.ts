import { expect, test } from 'vitest'
import { rolePassword, roleUrl } from './roles.ts'

const owner = 'postgresql://owner:s3cret@db.example:5433/muster?sslmode=require'

test('the address of a role keeps server, database and options of the owner and nothing of its credentials', () => {
  const url = new URL(roleUrl(owner, 'muster_app'))
  expect(url.username).toBe('muster_app')
  expect(url.host + url.pathname + url.search).toBe('db.example:5433/muster?sslmode=require')
  expect(url.href).not.toContain('s3cret')
})

test('a user or password given as a parameter does not win over the role', () => {
  const url = new URL(roleUrl('postgresql:///muster?user=postgres&password=x&host=/run/pg', 'muster_app'))
  expect(url.searchParams.get('user')).toBeNull()
  expect(url.searchParams.get('password')).toBeNull()
  expect(url.searchParams.get('host')).toBe('/run/pg')
})

test('two hubs with one owner agree on a password; other owners and other roles have others', () => {
  expect(rolePassword(owner, 'muster_app')).toBe(rolePassword(owner, 'muster_app'))
  expect(rolePassword(owner, 'muster_app')).not.toBe(rolePassword(owner, 'muster_system'))
  expect(rolePassword(owner.replace('s3cret', 'other'), 'muster_app')).not.toBe(
    rolePassword(owner, 'muster_app'),
  )
})
