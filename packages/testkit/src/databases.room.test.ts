import { expect, onTestFinished, test } from 'vitest'
import { createDatabase, withClient } from './databases.ts'
import { templateDatabase } from './templates.ts'

test('two databases of one test see nothing of each other', async () => {
  const one = await createDatabase()
  const two = await createDatabase()
  onTestFinished(one.drop)
  onTestFinished(two.drop)
  await withClient(one.url, (client) => client.query('create table only_here (id int)'))
  const found = await withClient(two.url, (client) => client.query(`select to_regclass('only_here') as t`))
  expect(found.rows).toEqual([{ t: null }])
})

test('a template is built once although several workers ask at the same time', async () => {
  let builds = 0
  const build = async (url: string) => {
    builds += 1
    await withClient(url, (client) =>
      client.query('create table seeded as select generate_series(1, 100) as id'),
    )
  }
  const name = `template_${crypto.randomUUID()}`
  await Promise.all([1, 2, 3, 4].map(() => templateDatabase(name, build)))
  expect(builds).toBe(1)
  const clones = await Promise.all([1, 2, 3].map(() => createDatabase({ template: name })))
  for (const clone of clones) {
    onTestFinished(clone.drop)
    const { rows } = await withClient(clone.url, (client) =>
      client.query('select count(*)::int as n from seeded'),
    )
    expect(rows).toEqual([{ n: 100 }])
  }
})

test('a template whose build failed is built again and not cloned half done', async () => {
  const name = `template_${crypto.randomUUID()}`
  await expect(
    templateDatabase(name, async (url) => {
      await withClient(url, (client) => client.query('create table half_done (id int)'))
      throw new Error('interrupted')
    }),
  ).rejects.toThrow('interrupted')
  await expect(createDatabase({ template: name })).rejects.toThrow('does not exist')
  await templateDatabase(name, async (url) => {
    await withClient(url, (client) => client.query('create table whole (id int)'))
  })
  const clone = await createDatabase({ template: name })
  onTestFinished(clone.drop)
  const { rows } = await withClient(clone.url, (client) =>
    client.query(`select to_regclass('half_done') as half, to_regclass('whole')::text as whole`),
  )
  expect(rows).toEqual([{ half: null, whole: 'whole' }])
})

test('dropping a database ends the sessions that still hold it', async () => {
  const database = await createDatabase()
  const ended = withClient(database.url, async (client) => {
    client.on('error', () => {})
    const sleeping = client.query('select pg_sleep(30)').then(
      () => 'slept',
      (error: { code?: string }) => error.code,
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    await database.drop()
    return sleeping
  })
  expect(await ended).toBe('57P01')
})
