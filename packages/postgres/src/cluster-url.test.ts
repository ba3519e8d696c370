import { Client } from 'pg'
import { expect, test } from 'vitest'
import { clusterUrl } from './cluster-url.ts'

test('a URL with awkward names is valid and leads the driver to the socket', () => {
  const address = { user: 'o@k', password: 'p/w:#?%', database: 'my db' }
  const url = clusterUrl({ socketDir: '/tmp/a b', port: 5432 }, address)
  expect(new URL(url).protocol).toBe('postgres:')
  const { user, password, database, host, port } = new Client({ connectionString: url })
  expect({ user, password, database }).toEqual(address)
  expect({ host, port }).toEqual({ host: '/tmp/a b', port: 5432 })
})
