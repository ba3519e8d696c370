import type { ChosenModel, Usage } from '@muster/contract/loop'
import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { noHints, openRooms, type Rooms } from '../../test-support/rooms.ts'
import { MusterError } from '../kernel/errors.ts'
import { createEvents } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { createCosts, type Spender } from './costs.ts'

let rooms: Rooms
beforeEach(async () => void (rooms = await openRooms()))
const costs = createCosts({ events: createEvents({ hints: noHints }) })

const paid: ChosenModel = {
  name: 'claude-sonnet-4-5',
  provider: 'anthropic',
  endpoint: 'anthropic',
  url: 'http://127.0.0.1:1',
  via: 'gateway',
  contextTokens: 200_000,
  costClass: 'api',
}
const usage = (inputTokens: number, outputTokens: number): Usage => ({
  inputTokens,
  outputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
})
const spender = (): Spender => ({
  workspaceId: rooms.workspaceId,
  goalId: null,
  taskId: newId(),
  runId: null,
  agent: 'loop',
  purpose: 'task',
})

/** 3 + 15 millionths of a dollar for each thousandth of a token pair, by the price of the model above. */
const most = { inputTokens: 1_000, outputTokens: 1_000 }
const maxOfCall = 18_000

const budgets = () =>
  rooms.sql<{ scope: string; limit: string | null; spent: string; reserved: string }>(
    'select scope, limit_microusd as limit, spent_microusd as spent, reserved_microusd as reserved from budgets',
  )
const workspaceBudget = async () => {
  const row = (await budgets()).find(({ scope }) => scope === 'workspace')
  return { spent: Number(row?.spent ?? 0), reserved: Number(row?.reserved ?? 0) }
}
const limitTo = (limit: number) =>
  rooms.inWorkspace((tx) =>
    costs.setLimit(tx, rooms.workspaceId, { scope: 'workspace', id: rooms.workspaceId }, limit),
  )
const reserve = (by = spender(), model = paid) =>
  rooms.inWorkspace((tx) => costs.reserve(tx, by, model, most))

test('a reservation counts until it is settled, and then what the call did cost counts instead', async () => {
  const { id, max } = await reserve()
  expect(max).toBe(maxOfCall)
  expect(await workspaceBudget()).toEqual({ spent: 0, reserved: maxOfCall })
  const settled = await rooms.inWorkspace((tx) => costs.settle(tx, id, { usage: usage(100, 10), ok: true }))
  expect(settled?.cost).toBe(450)
  expect(await workspaceBudget()).toEqual({ spent: 450, reserved: 0 })
  // A second time changes nothing, whoever repeats it.
  expect(
    await rooms.inWorkspace((tx) => costs.settle(tx, id, { usage: usage(9, 9), ok: true })),
  ).toBeUndefined()
  expect(await workspaceBudget()).toEqual({ spent: 450, reserved: 0 })
  expect(await rooms.sql('select 1 from calls')).toHaveLength(1)
})

test('a call that could cost more than is left is refused and leaves nothing behind', async () => {
  await limitTo(maxOfCall - 1)
  await expect(reserve()).rejects.toMatchObject({ code: 'budget_exhausted', status: 402 })
  expect(await workspaceBudget()).toEqual({ spent: 0, reserved: 0 })
  expect(await rooms.sql('select 1 from reservations')).toHaveLength(0)
})

test('a paid model without a price is refused, and is had once the workspace names one', async () => {
  const unknown = { ...paid, name: 'someones-model' }
  await expect(reserve(spender(), unknown)).rejects.toMatchObject({ code: 'price_unknown' })
  await rooms.inWorkspace((tx) =>
    tx.query(`insert into prices values ($1, 'someones-model', 1000000, 2000000, 0, 0)`, [rooms.workspaceId]),
  )
  expect((await reserve(spender(), unknown)).max).toBe(3_000)
})

test('a call whose end nobody saw counts with the most that it could have cost', async () => {
  await reserve()
  await rooms.sql(`update reservations set at = now() - interval '1 hour'`)
  await rooms.db.asSystem((tx) => costs.settleOverdue(tx))
  expect(await workspaceBudget()).toEqual({ spent: maxOfCall, reserved: 0 })
  expect(await rooms.sql('select is_maximum, ok from calls')).toEqual([{ is_maximum: true, ok: false }])
})

test('a local call costs nothing and says what it saved; a rehearsal saves nothing', async () => {
  const local = { ...paid, name: 'qwen3:8b', provider: 'ollama' as const, costClass: 'local' as const }
  const call = { usage: usage(1_000_000, 0), tier: 'standard' as const, ok: true }
  const recorded = await rooms.inWorkspace((tx) => costs.record(tx, spender(), local, call))
  expect(recorded).toEqual({ cost: 0, saved: 3_000_000 })
  const practice = { ...local, costClass: 'free' as const }
  const rehearsed = await rooms.inWorkspace((tx) => costs.record(tx, spender(), practice, call))
  expect(rehearsed).toEqual({ cost: 0, saved: 0 })
  expect(await workspaceBudget()).toEqual({ spent: 0, reserved: 0 })
})

test('concurrent calls, of which some never end, do not overshoot a budget at any moment', async () => {
  const limit = maxOfCall * 5
  const end = fc.constantFrom('settled', 'broken', 'lost', 'more')
  await fc.assert(
    fc.asyncProperty(fc.array(end, { minLength: 12, maxLength: 20 }), async (ends) => {
      await rooms.sql('truncate budgets, reservations, calls')
      await limitTo(limit)
      const task = spender()
      let refused = 0
      await Promise.all(
        ends.map(async (how) => {
          try {
            const { id } = await reserve(task)
            const { spent, reserved } = await workspaceBudget()
            expect(spent + reserved).toBeLessThanOrEqual(limit)
            if (how === 'lost') return
            const used = how === 'settled' ? usage(500, 500) : usage(1_000, 1_000)
            const known = how === 'broken' ? null : used
            await rooms.inWorkspace((tx) => costs.settle(tx, id, { usage: known, ok: how !== 'broken' }))
          } catch (error) {
            if (!(error instanceof MusterError) || error.code !== 'budget_exhausted') throw error
            refused += 1
          }
        }),
      )
      const calls = await rooms.sql<{ sum: string }>(
        'select coalesce(sum(cost_microusd), 0) as sum from calls',
      )
      const open = await rooms.sql<{ sum: string }>(
        'select coalesce(sum(max_microusd), 0) as sum from reservations',
      )
      const after = await workspaceBudget()
      expect(after.spent).toBe(Number(calls[0]?.sum))
      expect(after.reserved).toBe(Number(open[0]?.sum))
      expect(after.spent + after.reserved).toBeLessThanOrEqual(limit)
      // Twelve calls of a full price do not fit into five: the guard was really asked.
      if (ends.every((how) => how !== 'settled')) expect(refused).toBeGreaterThan(0)
    }),
    { numRuns: 12 },
  )
})

test('what one workspace spends, another neither sees nor pays', async () => {
  await reserve()
  const other = newId()
  await rooms.sql(`insert into workspaces (id, name) values ($1, 'other')`, [other])
  const seen = await rooms.db.inWorkspace(other, async (tx) => [
    await tx.query('select 1 from budgets'),
    await tx.query('select 1 from reservations'),
    await tx.query('select 1 from calls'),
  ])
  expect(seen).toEqual([[], [], []])
})

test('a worker has a limit of its own, which does not hold for another one', async () => {
  const [one, other] = [newId(), newId()]
  await rooms.inWorkspace((tx) =>
    costs.setLimit(tx, rooms.workspaceId, { scope: 'worker', id: one }, maxOfCall),
  )
  const { id } = await reserve({ ...spender(), workerId: one })
  await expect(reserve({ ...spender(), workerId: one })).rejects.toMatchObject({
    code: 'budget_exhausted',
    message: expect.stringContaining('The budget of the worker is $0.018') as string,
  })
  await expect(reserve({ ...spender(), workerId: other })).resolves.toBeDefined()
  await rooms.inWorkspace((tx) => costs.settle(tx, id, { usage: usage(0, 0), ok: true }))
  // What was reserved for it was given back to it.
  await expect(reserve({ ...spender(), workerId: one })).resolves.toBeDefined()
})

test('the hub asks for itself as often as its state allows, counting what is under way, and calls at once cannot both be the last', async () => {
  const own: Spender = { ...spender(), purpose: 'hub', state: 'contemplating', taskId: null, agent: 'hub' }
  const local = { ...paid, name: 'qwen3:8b', costClass: 'local' as const }
  const free = () => rooms.inWorkspace((tx) => costs.mayCall(tx, own))
  for (let at = 0; at < 3; at += 1) {
    await free()
    await rooms.inWorkspace((tx) =>
      costs.record(tx, own, local, { usage: usage(1, 1), tier: 'standard', ok: true }),
    )
  }
  const answers = await Promise.allSettled(Array.from({ length: 6 }, () => reserve(own)))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  await expect(free()).rejects.toMatchObject({
    code: 'call_limit_reached',
    message: 'While contemplating, the hub asked 5 of at most 5 times in the last hour.',
  })
  // Another state, and tasks, are counted apart.
  await expect(reserve({ ...own, state: 'executing' })).resolves.toBeDefined()
  await expect(reserve(spender())).resolves.toBeDefined()
})
