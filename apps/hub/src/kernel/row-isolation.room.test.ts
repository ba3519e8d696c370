import { expect, test } from 'vitest'
import { hubDatabase, session, type HubDatabase } from '../../test-support/database.ts'
import { addRepo, addWorkspace } from '../../test-support/hub.ts'
import { createDb } from './db.ts'
import { newId } from './ids.ts'
import { hubRoles, roleUrl } from './roles.ts'

const tenantTables = `
  select c.oid, c.relname as name,
    case when c.relname = 'workspaces' then 'id' else 'workspace_id' end as tenant
  from pg_class c
  where c.relnamespace = 'muster'::regnamespace and c.relkind in ('r', 'p')
    and (c.relname = 'workspaces' or exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped))`

/** What is wrong with the protection of the tables that belong to workspaces; empty when nothing is. */
async function unprotected(database: HubDatabase): Promise<string[]> {
  const rows = await database.sql<{ name: string; on: boolean; forced: boolean; policies: number }>(`
    with tenant as (${tenantTables})
    select t.name, c.relrowsecurity as on, c.relforcerowsecurity as forced,
      (select count(*)::int from pg_policy p
       where p.polrelid = t.oid and p.polcmd = '*' and p.polroles = array['muster_app'::regrole::oid]
         and pg_get_expr(p.polqual, p.polrelid) like '%' || t.tenant || ' = ( SELECT%app.workspace_id%'
         and pg_get_expr(p.polwithcheck, p.polrelid) like '%' || t.tenant || ' = ( SELECT%app.workspace_id%'
      ) as policies
    from tenant t join pg_class c on c.oid = t.oid`)
  const open = await database.sql<{ name: string }>(`
    with tenant as (${tenantTables})
    select t.name from tenant t join pg_policy p on p.polrelid = t.oid
    where p.polname not in ('of_workspace', 'of_system')
      or (p.polname = 'of_system' and p.polroles <> array['muster_system'::regrole::oid])`)
  return [
    ...rows.filter((row) => !row.on).map((row) => `${row.name}: row-level security is off`),
    ...rows.filter((row) => !row.forced).map((row) => `${row.name}: not forced on the owner`),
    ...rows.filter((row) => row.policies !== 1).map((row) => `${row.name}: no whole policy for muster_app`),
    ...open.map((row) => `${row.name}: another policy opens it`),
  ]
}

async function tenantTableNames(database: HubDatabase) {
  return database.sql<{ name: string; tenant: string }>(
    `select name, tenant from (${tenantTables}) t order by 1`,
  )
}

/** Two workspaces with a row of each kind in both. */
async function twoWorkspaces(database: HubDatabase) {
  const a = await addWorkspace(database, 'a')
  const b = await addWorkspace(database, 'b')
  for (const { workspaceId, personId } of [a, b]) await fillTables(database, workspaceId, personId)
  return { a: a.workspaceId, b: b.workspaceId }
}

async function fillTables(database: HubDatabase, workspaceId: string, personId: string): Promise<void> {
  const repoId = await addRepo(database, workspaceId)
  const [task, older, run, worker] = [newId(), newId(), newId(), newId()]
  const insert = (text: string, values: unknown[]) => database.sql(text, [workspaceId, ...values])
  await insert(`insert into workers (workspace_id, id, name) values ($1, $2, 'w')`, [worker])
  for (const id of [older, task]) {
    await insert(
      `insert into tasks (workspace_id, id, repo_id, repo, title, spec, lane, tier, guessed_tier, retries, state, created_by)
       values ($1, $2, $3, 'demo', 't', '{}', 2, 'standard', 'standard', 0, 'queued', 'x')`,
      [id, repoId],
    )
  }
  await insert('insert into queue_settings (workspace_id, paused) values ($1, false)', [])
  await insert(`insert into task_dependencies values ($1, $2, $3)`, [task, older])
  await insert(
    `insert into task_queue (workspace_id, task_id, repo_id, lane, wall, timeout_ms, epoch)
     values ($1, $2, $3, 2, 'namespace', 1000, 0)`,
    [task, repoId],
  )
  await insert(
    `insert into runs (workspace_id, id, task_id, attempt, epoch, worker_id, worker, agent, wall)
     values ($1, $2, $3, 1, 1, $4, 'w', 'shell', 'namespace')`,
    [run, task, worker],
  )
  await insert(
    `insert into evidence (workspace_id, task_id, run_id, commit, report) values ($1, $2, $3, 'c', '{}')`,
    [task, run],
  )
  await insert(
    `insert into run_output (workspace_id, task_id, run_id, batch, part, stream, text)
     values ($1, $2, $3, 0, 1, 'stdout', 'x')`,
    [task, run],
  )
  await insert(
    `insert into events (workspace_id, kind, actor, data) values ($1, 'task.created', 'x', '{}')`,
    [],
  )
  await insert(
    `insert into idempotency_keys (workspace_id, actor, key, request_hash) values ($1, 'x', 'k', $2)`,
    [Buffer.alloc(1)],
  )
  const message = newId()
  await insert(`insert into mail_heads (workspace_id, last_seq, kept) values ($1, 1, 1)`, [])
  await insert(
    `insert into messages (workspace_id, seq, id, from_kind, from_id, from_name, root, text)
     values ($1, 1, $2, 'worker', $3, 'w', $2, 'x')`,
    [message, worker],
  )
  await insert(`insert into channels (workspace_id, id, name) values ($1, $2, 'c')`, [message])
  await insert(`insert into channel_members values ($1, $2, $3)`, [message, worker])
  await insert(`insert into mailboxes (workspace_id, worker_id, last) values ($1, $2, 1)`, [worker])
  await insert(
    `insert into mailbox_entries (workspace_id, worker_id, slot, position, seq) values ($1, $2, 1, 1, 1)`,
    [worker],
  )
  await fillModels(insert, { task, run })
  const later = `now() + interval '1 hour'`
  await insert(
    `insert into sessions (workspace_id, id, hash, person_id, expires_at) values ($1, $2, $3, $4, ${later})`,
    [newId(), Buffer.from(newId()), personId],
  )
  await insert(
    `insert into sign_in_links (workspace_id, hash, person_id, expires_at) values ($1, $2, $3, ${later})`,
    [Buffer.from(newId()), personId],
  )
}

/** What the work with models leaves: endpoints, steps and money. */
async function fillModels(
  insert: (text: string, values: unknown[]) => Promise<unknown>,
  { task, run }: { task: string; run: string },
): Promise<void> {
  const endpoint = newId()
  await insert(
    `insert into endpoints (workspace_id, id, name, kind, url, source, cloud, run_limit)
     values ($1, $2, 'e', 'ollama', 'http://127.0.0.1:9', 'manual', false, 4)`,
    [endpoint],
  )
  await insert(
    `insert into endpoint_models (workspace_id, endpoint_id, name, place, warm, remote) values ($1, $2, 'm', 1, false, false)`,
    [endpoint],
  )
  await insert(`insert into model_settings (workspace_id, cloud_allowed) values ($1, false)`, [])
  await insert(`insert into model_tiers (workspace_id, model, tier) values ($1, 'm', 'standard')`, [])
  await insert(
    `insert into steps (workspace_id, line, seq, run_id, task_id, kind, args, result, text, success, ms, messages)
     values ($1, $2, 1, $2, $3, 'tool', '', '', '', true, 1, '[]')`,
    [run, task],
  )
  await insert(
    `insert into checkpoints (workspace_id, task_id, line, steps, state) values ($1, $2, $3, 1, '{}')`,
    [task, run],
  )
  await insert(`insert into prices values ($1, 'm', 1, 1, 1, 1)`, [])
  await insert(`insert into call_limits values ($1, 'executing', 1, 1)`, [])
  await insert(`insert into cost_alerts (workspace_id, kind, about) values ($1, 'budget.low', 'x')`, [])
  await insert(`insert into budgets (workspace_id, scope, scope_id) values ($1, 'task', $2)`, [task])
  await insert(
    `insert into reservations (workspace_id, id, purpose, agent, model, provider, endpoint, max_microusd)
     values ($1, $2, 'task', 'loop', 'm', 'openai', 'e', 1)`,
    [newId()],
  )
  await insert(
    `insert into calls (workspace_id, id, purpose, agent, model, provider, endpoint, cost_class, input_tokens,
       output_tokens, cache_read_tokens, cache_write_tokens, cost_microusd, saved_microusd, ok)
     values ($1, $2, 'task', 'loop', 'm', 'openai', 'e', 'api', 1, 1, 0, 0, 1, 0, true)`,
    [newId()],
  )
}

test('every table that belongs to workspaces forces the whole policy on the application role', async () => {
  const database = await hubDatabase()
  expect((await tenantTableNames(database)).length).toBeGreaterThanOrEqual(14)
  expect(await unprotected(database)).toEqual([])
})

const mutations = [
  'drop policy of_workspace on tasks',
  'alter table runs disable row level security',
  'alter table tokens no force row level security',
  'drop policy of_workspace on events; create policy of_workspace on events to muster_app using (true)',
  `alter policy of_workspace on evidence with check (true)`,
  `create policy extra on repos to muster_app using (true)`,
  `alter policy of_system on workers to muster_system, muster_app`,
  'create table forgotten (workspace_id uuid not null)',
]
test.each(mutations)('the check of the catalogue notices: %s', async (mutation) => {
  const database = await hubDatabase()
  await database.sql(mutation)
  expect(await unprotected(database)).toHaveLength(mutation.startsWith('create table') ? 3 : 1)
})

test('the roles of the hub are no superusers, bypass no policy, make no roles and own nothing', async () => {
  const database = await hubDatabase()
  const roles = await database.sql<Record<string, unknown>>(
    `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
       (select count(*)::int from pg_class where relowner = r.oid)
       + (select count(*)::int from pg_proc where proowner = r.oid)
       + (select count(*)::int from pg_namespace where nspowner = r.oid) as owned,
       (select count(*)::int from pg_auth_members where member = r.oid) as member_of
     from pg_roles r where rolname like 'muster\\_%' order by 1`,
  )
  const nothing = { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false }
  expect(roles).toEqual(
    [...hubRoles]
      .toSorted()
      .map((rolname) => ({ rolname, ...nothing, rolreplication: false, owned: 0, member_of: 0 })),
  )
})

test('without a workspace every table is empty for the application role', async () => {
  const database = await hubDatabase()
  const { a } = await twoWorkspaces(database)
  const app = await session(roleUrl(database.url, 'muster_app'))
  for (const { name, tenant } of await tenantTableNames(database)) {
    const seen = await app.query(`select * from ${name}`)
    expect([name, seen.rows.length]).toEqual([name, 0])
    // The control: the row is there, and its own workspace sees it.
    await app.query(`set app.workspace_id = '${a}'`)
    const own = await app.query<Record<string, unknown>>(`select * from ${name}`)
    expect([name, own.rows.length > 0]).toEqual([name, true])
    expect([name, own.rows.every((row) => row[tenant] === a)]).toEqual([name, true])
    await app.query('reset app.workspace_id')
  }
})

test('a workspace can neither read, change, delete nor write rows of another, whatever the statement says', async () => {
  const database = await hubDatabase()
  const { a, b } = await twoWorkspaces(database)
  const app = await session(roleUrl(database.url, 'muster_app'))
  await app.query(`set app.workspace_id = '${a}'`)
  // More rights than the role really has, so that it is the policy alone that refuses.
  await database.sql('grant all on all tables in schema muster to muster_app')
  for (const { name, tenant } of await tenantTableNames(database)) {
    const where = `where ${tenant} = '${b}'`
    expect([name, (await app.query(`select * from ${name} ${where}`)).rows.length]).toEqual([name, 0])
    expect([name, (await app.query(`update ${name} set ${tenant} = ${tenant} ${where}`)).rowCount]).toEqual([
      name,
      0,
    ])
    expect([name, (await app.query(`delete from ${name} ${where}`)).rowCount]).toEqual([name, 0])
    await expect(app.query(`update ${name} set ${tenant} = '${b}'`), name).rejects.toMatchObject({
      code: '42501',
    })
    const [row] = await database.sql<{ row: string }>(
      `select row_to_json(t)::text as row from ${name} t ${where} limit 1`,
    )
    await expect(
      app.query(
        `insert into ${name} overriding user value select * from json_populate_record(null::${name}, $1)`,
        [row?.row],
      ),
      name,
    ).rejects.toMatchObject({ code: expect.stringMatching(name === 'tasks' ? /428C9|42501/ : /42501/) })
  }
})

test('a table without the policy does leak, so the tests above can fail', async () => {
  const database = await hubDatabase()
  const { a, b } = await twoWorkspaces(database)
  await database.sql(`create table leaky (workspace_id uuid not null)`)
  await database.sql(`insert into leaky values ('${b}')`)
  await database.sql('grant select on leaky to muster_app')
  const app = await session(roleUrl(database.url, 'muster_app'))
  await app.query(`set app.workspace_id = '${a}'`)
  expect((await app.query('select * from leaky')).rows).toEqual([{ workspace_id: b }])
})

test('a pooled connection forgets its workspace with the transaction, kept or rolled back', async () => {
  const database = await hubDatabase()
  const { a, b } = await twoWorkspaces(database)
  const appUrl = roleUrl(database.url, 'muster_app')
  const db = createDb({ appUrl, systemUrl: appUrl, onError: () => {}, poolSize: 1 })
  const pids = new Set<number>()
  const ids = async (workspace: string) =>
    db.inWorkspace(workspace, async (tx) => {
      const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
      pids.add(row?.pid ?? 0)
      return (await tx.query<{ id: string }>({ name: 'all', text: 'select id from workspaces' })).map(
        (w) => w.id,
      )
    })
  try {
    expect(await ids(a)).toEqual([a])
    expect(await ids(b)).toEqual([b])
    await expect(db.inWorkspace(a, () => Promise.reject(new Error('undone')))).rejects.toThrow('undone')
    expect(await ids(b)).toEqual([b])
    expect(pids.size).toBe(1)
    await db.inWorkspace(a, async (tx) => {
      // Ended by hand, as a pooled connection is left for whoever uses it next.
      await tx.query('commit')
      expect(await tx.query('select id from workspaces')).toEqual([])
    })
  } finally {
    await db.close()
  }
  const one = await session(appUrl)
  await one.query(`begin; set local app.workspace_id = '${a}'`)
  expect((await one.query('select id from workspaces')).rows).toEqual([{ id: a }])
  await one.query('rollback')
  expect((await one.query('select id from workspaces')).rows).toEqual([])
})

test('an error of the database about another workspace shows none of its values', async () => {
  const database = await hubDatabase()
  const { a, b } = await twoWorkspaces(database)
  const app = await session(roleUrl(database.url, 'muster_app'))
  await app.query(`set app.workspace_id = '${a}'`)
  const [theirs] = await database.sql<{ id: string; hash: Buffer; person_id: string }>(
    'select id, hash, person_id from sessions where workspace_id = $1',
    [b],
  )
  // The hash is unique over all workspaces: the index may refuse, but must not tell whose it is.
  const [mine] = await database.sql<{ id: string }>('select id from people where workspace_id = $1', [a])
  const refused = app.query(
    `insert into sessions (workspace_id, id, hash, person_id, expires_at) values ($1, $2, $3, $4, now())`,
    [a, newId(), theirs?.hash, mine?.id],
  )
  const error = await refused.then(
    () => undefined,
    (failure: Error) => JSON.stringify({ ...failure, message: failure.message }),
  )
  expect(error).toContain('23505')
  for (const value of [b, theirs?.id, theirs?.person_id]) expect(error).not.toContain(value)
})

test('a workspace that is not an id never reaches a statement', async () => {
  const database = await hubDatabase()
  const appUrl = roleUrl(database.url, 'muster_app')
  const db = createDb({ appUrl, systemUrl: appUrl, onError: () => {} })
  const attack = `x'; set app.workspace_id = '`
  expect(() => db.inWorkspace(attack, async () => {})).toThrow('not a workspace id')
  await db.close()
})
