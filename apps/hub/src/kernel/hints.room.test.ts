import { eventually } from '@muster/testkit/eventually'
import { expect, onTestFinished, test } from 'vitest'
import { hubDatabase } from '../../test-support/database.ts'
import { createHints, type Topic } from './hints.ts'
import { roleUrl } from './roles.ts'

async function twoHubs() {
  const { url, sql } = await hubDatabase()
  const open = () => {
    const hints = createHints({ notify: true, url: roleUrl(url, 'muster_system'), onError: () => {} })
    onTestFinished(() => hints.close())
    return hints
  }
  const [one, two] = [open(), open()]
  const listening = `select count(*)::int as n from pg_stat_activity where query = 'listen muster_hints' and datname = current_database()`
  const connected = (n: number) => eventually(async () => (await sql<{ n: number }>(listening))[0]?.n === n)
  await connected(2)
  return { one, two, sql, connected }
}

function heard(hints: { on: (topic: Topic, listener: () => void) => () => void }, topic: Topic) {
  const times: number[] = []
  const stop = hints.on(topic, () => times.push(performance.now()))
  return { times, stop }
}

test('a hint reaches this hub at once and another hub through the database, each only its topic', async () => {
  const { one, two } = await twoHubs()
  const [here, there, other] = [heard(one, 'queue'), heard(two, 'queue'), heard(two, 'output')]
  one.send('queue')
  await eventually(() => here.times.length > 0 && there.times.length > 0)
  expect(other.times).toEqual([])
  there.stop()
  one.send('queue')
  await eventually(() => here.times.length >= 2)
  expect(there.times).toHaveLength(1)
})

test('a thousand hints become a few notifications and never two statements at once', async () => {
  const { one, two } = await twoHubs()
  const warnings: string[] = []
  const note = (warning: Error) => warnings.push(warning.message)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const there = heard(two, 'events')
  for (let n = 0; n < 1_000; n++) {
    one.send('events')
    one.send(n % 2 === 0 ? 'queue' : 'output')
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 6))
  }
  const last = heard(two, 'queue')
  one.send('queue')
  await eventually(() => last.times.length > 0)
  expect(there.times.length).toBeGreaterThan(0)
  expect(there.times.length).toBeLessThan(60)
  expect(warnings).toEqual([])
})

test('hints come back after the database closed their connection', async () => {
  const { one, two, sql, connected } = await twoHubs()
  await sql(`select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'muster_system' and datname = current_database()`)
  await connected(2)
  const there = heard(two, 'queue')
  one.send('queue')
  await eventually(() => there.times.length > 0)
})
