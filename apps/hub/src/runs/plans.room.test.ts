import { expect, test } from 'vitest'
import type { Assignment } from '@muster/contract/wire'
import { openDb, openRooms, verified, type Rooms } from '../../test-support/rooms.ts'
import { atEndOfTest, hubDatabase } from '../../test-support/database.ts'
import type { Db, Tx } from '../kernel/db.ts'

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Plans?: Node[]
}

// What grows with use. A statement that reads all of one of these does so for each task.
const large = ['tasks', 'task_queue', 'runs', 'evidence', 'events']
// By what their rows are found: the key, or what an index of their own is for.
const named = /\b(id|task_id|worker_id|run_id|needs_id|line)\b/

/** Every statement that has a name, by it. */
function recording(db: Db, texts: Map<string, string>): Db {
  return {
    ...db,
    inWorkspace: (id, work) =>
      db.inWorkspace(id, (tx) => {
        const query: Tx['query'] = (statement, values) => {
          if (typeof statement !== 'string') texts.set(statement.name, statement.text)
          return tx.query(statement, values)
        }
        return work({ ...tx, query })
      }),
  }
}

async function wholeCycle(rooms: Rooms): Promise<void> {
  for (let at = 0; at < 3; at += 1) await rooms.submit({ title: `task ${at}` })
  const worker = await rooms.worker('w', 3)
  rooms.agents.connections.add(worker.connection)
  await rooms.assign()
  const assigned = (worker.sent as { assignment: Assignment }[]).map((each) => each.assignment)
  for (const { taskId, epoch, runId, branch } of assigned) {
    const held = { id: 1, taskId, epoch }
    await rooms.say(worker, { type: 'accept', ...held })
    await rooms.say(worker, { type: 'publish', ...held, branch, commit: 'c'.repeat(40) })
    await rooms.say(worker, { type: 'finish', ...held, runId, result: verified(branch) })
  }
}

function unfit(node: Node): string[] {
  const table = node['Relation Name'] ?? ''
  const reads = node['Node Type'].endsWith('Scan') && large.includes(table)
  const isFound = named.test(node['Index Cond'] ?? '')
  const own =
    reads && !isFound ? [`${node['Node Type']} of ${table} by ${node['Index Cond'] ?? 'nothing'}`] : []
  return [...own, ...(node.Plans ?? []).flatMap(unfit)]
}

async function planOf({ db, workspaceId }: Rooms, text: string): Promise<Node> {
  // As `explain (generic_plan)` does, which PostgreSQL has only since 16.
  const last = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map((found) => Number(found[1])))
  const values = last === 0 ? '' : `(${Array(last).fill('null').join(', ')})`
  const [row] = await db.inWorkspace(workspaceId, async (tx) => {
    await tx.query(`set local plan_cache_mode = force_generic_plan`)
    await tx.query(`prepare planned as ${text}`)
    const plan = await tx.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
      `explain (format json) execute planned${values}`,
    )
    await tx.query('deallocate planned')
    return plan
  })
  return row?.['QUERY PLAN'][0].Plan as Node
}

async function unfitOf(rooms: Rooms, texts: Map<string, string>) {
  const found: Record<string, string[]> = {}
  for (const [name, text] of texts) {
    const wrong = unfit(await planOf(rooms, text))
    if (wrong.length > 0) found[name] = wrong
  }
  return found
}

function nodesOf(node: Node): string[] {
  const own = [node['Node Type'], node['Index Name']].filter((each) => each !== undefined)
  return [own.join(' '), ...(node.Plans ?? []).flatMap(nodesOf)]
}

async function statements(): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  const database = await hubDatabase()
  await wholeCycle(await openRooms({ database, db: recording(openDb(database, atEndOfTest), texts) }))
  return texts
}

// Not by keys: two end at their limits, and three read what is leased, by its own index.
const others = [
  'tasks_candidates',
  'tasks_queue_is_full',
  'tasks_busy',
  'tasks_held_by',
  'tasks_held_endpoints',
]

test('no statement of a whole task reads a table, or a workspace, that PostgreSQL takes for empty', async () => {
  const texts = await statements()
  expect([...texts.keys()]).toEqual(
    expect.arrayContaining(['tasks_lease_many', 'tasks_hold_leases', 'runs_grant', 'tasks_end_all']),
  )
  const fresh = await openRooms()
  for (const name of others) texts.delete(name)
  const [server] = await fresh.sql<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  )
  if ((server?.version ?? 0) < 170_000) {
    // Planners before 17 take a list of keys for no bound of an index; docs/operations.md says so. Where this fails,
    // one of them has learnt it, and the rest of this test is for it as well.
    return expect(await unfitOf(fresh, texts)).not.toEqual({})
  }
  expect(await unfitOf(fresh, texts)).toEqual({})
  await fresh.sql('vacuum analyze')
  expect(await unfitOf(fresh, texts)).toEqual({})
})

test('the next tasks are read in the order of the queue and not sorted, however many wait', async () => {
  const text = (await statements()).get('tasks_candidates') ?? ''
  const rooms = await openRooms()
  const inOrder = 'Index Scan task_queue_ready'
  const isInOrder = async () => {
    const nodes = nodesOf(await planOf(rooms, text))
    expect(nodes).toContain(inOrder)
    expect(nodes.join()).not.toContain('Sort')
  }
  await isInOrder()
  await rooms.sql('vacuum analyze')
  await isInOrder()
  // Rows of no task: nothing reads them.
  await rooms.sql(`
    set session_replication_role = replica;
    insert into task_queue (workspace_id, task_id, repo_id, lane, wall, timeout_ms, epoch)
    select '${rooms.workspaceId}', gen_random_uuid(), '${rooms.workspaceId}', 2, 'namespace', 1, 0 from generate_series(1, 20000);
    reset session_replication_role;`)
  await isInOrder()
  await rooms.sql('vacuum analyze')
  await isInOrder()
})
