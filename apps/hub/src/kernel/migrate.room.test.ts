import { createDatabase, quoted, withClient } from '@muster/testkit/databases'
import { expect, onTestFinished, test } from 'vitest'
import { migrate } from './migrate.ts'
import { ensureRoles, hubRoles, roleUrl } from './roles.ts'

async function emptyDatabase() {
  const database = await createDatabase()
  onTestFinished(database.drop)
  return database
}

const columnsOf = (url: string) =>
  withClient(url, async (client) => {
    const { rows } = await client.query(
      `select table_name, column_name, data_type from information_schema.columns where table_schema = 'muster' order by 1, 2`,
    )
    return rows as unknown[]
  })

test('a migrated database stays as it is when it is migrated again', async () => {
  const { url } = await emptyDatabase()
  const first = await migrate(url)
  expect(first.applied.length).toBeGreaterThanOrEqual(6)
  expect(first.applied).toEqual(first.applied.toSorted())
  const before = await columnsOf(url)
  expect(await migrate(url)).toEqual({ applied: [] })
  expect(await columnsOf(url)).toEqual(before)
})

test('of hubs that start on one empty database together one migrates and all succeed', async () => {
  const { url } = await emptyDatabase()
  const results = await Promise.all([1, 2, 3].map(() => migrate(url)))
  expect(
    results
      .map((result) => result.applied.length)
      .toSorted((a, b) => a - b)
      .slice(0, 2),
  ).toEqual([0, 0])
  expect(results.some((result) => result.applied.length >= 6)).toBe(true)
})

test('databases of one server are migrated at the same time although they share the roles', async () => {
  const databases = await Promise.all([1, 2, 3].map(emptyDatabase))
  await Promise.all(databases.map(({ url }) => migrate(url)))
  for (const { url } of databases) expect((await columnsOf(url)).length).toBeGreaterThan(50)
})

test('a database of a newer version is refused and left alone', async () => {
  const { url } = await emptyDatabase()
  await migrate(url)
  await withClient(url, (client) =>
    client.query(
      `insert into muster.migrations select (jsonb_populate_record(m, '{"name": "9999_future.sql"}')).*
       from muster.migrations m limit 1`,
    ),
  )
  const before = await columnsOf(url)
  await expect(migrate(url)).rejects.toThrow(/9999_future\.sql.*start that version/)
  expect(await columnsOf(url)).toEqual(before)
})

test('a database that would lose acknowledged work is refused before anything is made in it', async () => {
  const { url, name } = await emptyDatabase()
  await withClient(url, (client) =>
    client.query(`alter database ${quoted(name)} set synchronous_commit = off`),
  )
  await expect(migrate(url)).rejects.toThrow('synchronous_commit = off')
  expect(await columnsOf(url)).toEqual([])
})

test('the roles log in with the password that follows from the owner and with no other', async () => {
  const { url } = await emptyDatabase()
  await ensureRoles(url)
  for (const role of hubRoles) {
    const [row] = await withClient(
      roleUrl(url, role),
      async (client) => (await client.query('select current_user as me')).rows,
    )
    expect(row).toEqual({ me: role })
    const wrong = new URL(roleUrl(url, role))
    wrong.password = 'wrong'
    await expect(withClient(wrong.href, async () => {})).rejects.toMatchObject({ code: '28P01' })
  }
})
