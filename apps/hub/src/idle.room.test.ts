import { taskCreate } from '@muster/contract/tasks'
import { leaseMs } from '@muster/contract/wire'
import { expect, test } from 'vitest'
import { atEndOfTest, hubDatabase, type HubDatabase } from '../test-support/database.ts'
import { addRepo } from '../test-support/hub.ts'
import { startModelServer } from '../test-support/model-server.ts'
import { goodWall } from '../test-support/worker-client.ts'
import type { Connection } from './agents/connections.ts'
import { createRooms } from './hub.ts'
import { ensureOwner } from './identity/first-start.ts'
import { defaultLimits } from './tasks/limits.ts'
import { noClouds } from './models/settings.ts'

type Rooms = ReturnType<typeof createRooms>

// A day, in steps as long as nothing that the hub does by itself is rarer than twice in it, but what is hourly.
const minutesPerStep = 5
const stepsOfADay = (24 * 60) / minutesPerStep

test('fifty idle agents cost no call of a model in 24 hours, while one task does', async () => {
  const database = await hubDatabase()
  const ollama = await startModelServer([{ name: 'qwen3:8b', warm: true }])
  const failures: unknown[] = []
  const rooms = createRooms(
    {
      databaseUrl: database.url,
      limits: defaultLimits,
      notify: false,
      messageDays: 7,
      models: { ...noClouds, ollamaUrl: ollama.url },
    },
    leaseMs,
    () => (error) => void failures.push(error),
  )
  atEndOfTest(() => rooms.db.close())
  const { workspaceId, personId } = await ensureOwner(rooms.db)
  await addRepo(database, workspaceId)
  const sent: unknown[] = []
  for (let at = 0; at < 50; at += 1) await join(rooms, workspaceId, `agent-${at}`, sent)

  const pass = await passingTime(database)
  await step(rooms, failures)
  // As their hello would have written.
  await database.sql(
    `update workers set connected_hub = (select owner_hub from duties limit 1), last_seen_at = now(), slots = 1, walls = $1,
       supervisor = '{"kind":"up"}'`,
    [JSON.stringify([goodWall])],
  )
  for (let at = 0; at < stepsOfADay; at += 1) {
    await pass(minutesPerStep)
    await step(rooms, failures)
  }
  expect(failures).toEqual([])
  // The day was lived through: the model's server was asked how it is at every step, and everybody is still there.
  expect(ollama.told.filter(({ path }) => path === '/api/tags').length).toBeGreaterThanOrEqual(stepsOfADay)
  const [there] = await database.sql<{ n: number }>(
    `select count(*)::int as n from workers where connected_hub is not null and last_seen_at > now() - interval '90 s'`,
  )
  expect(there).toEqual({ n: 50 })

  expect(calledIn(ollama.told)).toEqual([])
  expect(given(sent)).toEqual([])
  expect(await database.sql('select id from calls union all select id from reservations')).toEqual([])

  // The control: what an agent would call a model for is seen by the same eyes.
  const person = { kind: 'person', workspaceId, id: personId, label: 'owner', credentialId: null } as const
  const order = taskCreate.parse({ repo: 'demo', title: 'A task', prompt: 'Do it.', tier: 'standard' })
  await rooms.db.inWorkspace(workspaceId, (tx) => rooms.tasks.submit(tx, person, order))
  await rooms.assign()
  expect(given(sent)).toMatchObject([
    { type: 'assign', assignment: { loop: { model: { name: 'qwen3:8b' } } } },
  ])
  await fetch(`${ollama.url}/api/chat`, { method: 'POST', body: '{}' })
  expect(calledIn(ollama.told)).toEqual(['/api/chat'])
})

/** Whatever does more than ask what is there. */
const calledIn = (told: { path: string }[]) =>
  told.map(({ path }) => path).filter((path) => !/^\/api\/(version|tags|ps|show)$/.test(path))

// They also hear of one another.
const given = (sent: unknown[]) => (sent as { type: string }[]).filter(({ type }) => type === 'assign')

async function join({ agents }: Rooms, workspaceId: string, name: string, sent: unknown[]): Promise<void> {
  const workerId = await agents.ensureWorker(workspaceId, name)
  const connection: Connection = {
    ...{ workspaceId, workerId, name, instance: name, credentialId: '', slots: 1, capabilities: [] },
    ...{ walls: [goodWall], blocked: false, restarting: false, unanswered: 0 },
    send: (message) => void sent.push(message),
    // It answers each, as one that lives does.
    ping: () => void (connection.unanswered = 0),
    ...{ backlog: () => 0, close: () => {}, terminate: () => {} },
  }
  agents.connections.add(connection)
}

/** Everything that a hub does without being asked, once: what its loops do. */
async function step(
  { agents, mail, models, runs, duties, assign }: Rooms,
  failures: unknown[],
): Promise<void> {
  await agents.refreshPresence()
  for (const work of [
    assign,
    mail.deliver,
    agents.deliverOrders,
    runs.sweep,
    models.care,
    agents.evictSilent,
  ]) {
    await work()
  }
  await duties.round(() => (error) => void failures.push(error))
}

/** What was so long ago as it was is longer ago by so much: the only clock that decides is the database's. */
async function passingTime({ sql }: HubDatabase) {
  const columns = await sql<{ table: string; column: string }>(`
    select table_name as table, column_name as column
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'muster' and data_type = 'timestamp with time zone' and table_type = 'BASE TABLE'`)
  const tables = [...new Set(columns.map(({ table }) => table))]
  const earlier = (table: string, minutes: number) =>
    columns
      .filter((each) => each.table === table)
      .map(({ column }) => `"${column}" = "${column}" - interval '${minutes} min'`)
      .join(', ')
  return async (minutes: number) => {
    const updates = tables.map((table) => `update "${table}" set ${earlier(table, minutes)};`).join('\n')
    await sql(`set session_replication_role = replica; ${updates} reset session_replication_role;`)
  }
}
