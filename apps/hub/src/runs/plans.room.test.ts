import { expect, test } from 'vitest'
import type { Assignment } from '@muster/contract/wire'
import { openDb, openRooms, verified, type Rooms } from '../../test-support/rooms.ts'
import { atEndOfTest, hubDatabase } from '../../test-support/database.ts'
import type { Db, Tx } from '../kernel/db.ts'

type Node = { 'Node Type': string; 'Relation Name'?: string; 'Index Cond'?: string; Plans?: Node[] }

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

async function plansOf(db: Db, workspaceId: string, texts: Map<string, string>) {
  const found: Record<string, string[]> = {}
  for (const [name, text] of texts) {
    const [row] = await db.inWorkspace(workspaceId, (tx) =>
      tx.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`explain (generic_plan, format json) ${text}`),
    )
    const plan = row?.['QUERY PLAN'][0].Plan
    const wrong = plan === undefined ? ['no plan'] : unfit(plan)
    if (wrong.length > 0) found[name] = wrong
  }
  return found
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
  const texts = new Map<string, string>()
  const first = await hubDatabase()
  await wholeCycle(await openRooms({ database: first, db: recording(openDb(first, atEndOfTest), texts) }))
  expect([...texts.keys()]).toEqual(
    expect.arrayContaining(['tasks_lease_many', 'tasks_hold_leases', 'runs_grant', 'tasks_end_all']),
  )

  const fresh = await openRooms()
  for (const name of others) texts.delete(name)
  expect(await plansOf(fresh.db, fresh.workspaceId, texts)).toEqual({})
  await fresh.sql('vacuum analyze')
  expect(await plansOf(fresh.db, fresh.workspaceId, texts)).toEqual({})
})
