import type { ChosenModel } from '@muster/contract/loop'
import { expect, test } from 'vitest'
import { atEndOfTest } from '../../test-support/database.ts'
import { refusal } from '../../test-support/http.ts'
import { addWorkspace, startHub, type TestHub } from '../../test-support/hub.ts'
import { noHints, openDb } from '../../test-support/rooms.ts'
import { createEvents } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { createCosts, type Spender } from './costs.ts'

const costs = createCosts({ events: createEvents({ hints: noHints }) })
const most = { inputTokens: 1_000, outputTokens: 1_000 }
const usage = { ...most, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: false }
const chosen = (name: string, costClass: ChosenModel['costClass'] = 'api'): ChosenModel => ({
  ...{ name, provider: 'openai', endpoint: 'openai', url: 'http://127.0.0.1:1', via: 'gateway' },
  ...{ contextTokens: 100_000, costClass },
})

async function spending() {
  const hub = await startHub()
  const db = openDb(hub.database, atEndOfTest)
  const inWorkspace = <T>(work: Parameters<typeof db.inWorkspace<T>>[1]) =>
    db.inWorkspace(hub.workspaceId, work)
  const spender = (more: Partial<Spender> = {}): Spender => ({
    ...{ workspaceId: hub.workspaceId, goalId: null, taskId: newId(), runId: null },
    ...{ agent: 'loop', purpose: 'task', worker: 'box-1' },
    ...more,
  })
  const reserve = (by = spender(), model = 'gpt-5') =>
    inWorkspace((tx) => costs.reserve(tx, by, chosen(model), most))
  return {
    hub,
    spender,
    reserve,
    /** 1,000 tokens in and 1,000 out. */
    pay: async (by = spender(), model = 'gpt-5') => {
      const { id } = await reserve(by, model)
      await inWorkspace((tx) => costs.settle(tx, id, { usage, ok: true }))
    },
    think: (by = spender()) =>
      inWorkspace((tx) =>
        costs.record(tx, by, chosen('qwen3:8b', 'local'), { usage, tier: 'standard', ok: true }),
      ),
  }
}
const kinds = async (hub: TestHub) =>
  (await hub.call('listEvents', { query: { limit: '500' } })).items
    .map(({ kind }) => kind)
    .filter((kind) => /^(budget|price|calls)/.test(kind))

test('what was spent is told by task, agent, model and day, and what the hub spent for itself apart', async () => {
  const { hub, spender, pay, think } = await spending()
  const taskId = newId()
  await pay(spender({ taskId }))
  await pay(spender({ taskId }))
  await pay(spender({ agent: 'other', worker: 'box-2' }), 'gpt-5-nano')
  await think(spender({ taskId: null, purpose: 'hub', agent: 'hub', worker: null }))
  await hub.sql(`update calls set at = at - interval '1 day' where model = 'gpt-5-nano'`)

  const by = async (group: string) => {
    const { items } = await hub.call('getCosts', { query: { by: group } })
    return items.map(({ key, calls, costUsd }) => [key, calls, costUsd])
  }
  // 1.25 and 10 dollars per million; nano 0.05 and 0.40.
  const [dear, cheap] = [0.0225, 0.00045]
  expect((await by('task'))[0]).toEqual([taskId, 2, dear])
  expect((await by('task')).at(-1)).toEqual(['hub', 1, 0])
  expect(await by('agent')).toEqual([
    ['loop', 2, dear],
    ['other', 1, cheap],
    ['hub', 1, 0],
  ])
  expect(await by('model')).toEqual([
    ['gpt-5', 2, dear],
    ['gpt-5-nano', 1, cheap],
    ['qwen3:8b', 1, 0],
  ])
  expect(await by('worker')).toEqual([
    ['box-1', 2, dear],
    ['box-2', 1, cheap],
    ['hub', 1, 0],
  ])
  expect((await by('day')).map(([, calls]) => calls)).toEqual([3, 1])

  const all = await hub.call('getCosts', {})
  expect(all.tasks).toMatchObject({ calls: 3, inputTokens: 3_000, costUsd: 0.02295, savedUsd: 0 })
  expect(all.hub).toMatchObject({ calls: 1, costUsd: 0, savedUsd: 0.018 })
  expect(all.budget).toEqual({ limitUsd: null, spentUsd: 0.02295, reservedUsd: 0, leftUsd: null })

  // The oldest call is a day old: one day of spending.
  expect(all.forecast.perDayUsd).toBeCloseTo(0.02295, 4)
  expect(all.forecast).toMatchObject({ budgetLastsDays: null })
  await hub.call('setBudget', { body: { limitUsd: 0.02295 * 3 } })
  const { forecast } = await hub.call('getCosts', {})
  expect(forecast.budgetLastsDays).toBeCloseTo(2, 1)

  const recent = await hub.call('getCosts', {
    query: { since: new Date(Date.now() - 3_600_000).toISOString() },
  })
  expect(recent.tasks.calls).toBe(2)

  const other = await addWorkspace(hub.database, 'other')
  expect(await hub.call('getCosts', { token: other.token })).toMatchObject({
    items: [],
    tasks: { calls: 0 },
    budget: { spentUsd: 0 },
  })
})

test('a limit of the workspace holds for the next call, says what is left, and can be ended', async () => {
  const { hub, pay, reserve } = await spending()
  await pay()
  const set = await hub.call('setBudget', { body: { limitUsd: 0.02 } })
  expect(set).toEqual({ limitUsd: 0.02, spentUsd: 0.01125, reservedUsd: 0, leftUsd: 0.00875 })
  await expect(reserve()).rejects.toMatchObject({ code: 'budget_exhausted' })
  await hub.call('setBudget', { body: { limitUsd: 0.03 } })
  await reserve()
  expect((await hub.call('getCosts', {})).budget).toMatchObject({ reservedUsd: 0.01125, leftUsd: 0.0075 })
  expect(await hub.call('setBudget', { body: { limitUsd: null } })).toMatchObject({ leftUsd: null })
  await reserve()
  expect((await kinds(hub)).filter((kind) => kind === 'budget.set')).toHaveLength(3)
})

test('people are told once an hour that a budget runs low, and that the hub asks often', async () => {
  const { hub, spender, pay, think } = await spending()
  await hub.call('setBudget', { body: { limitUsd: 0.05 } })
  const alerts = async () =>
    (await kinds(hub)).filter((kind) => kind !== 'budget.set' && kind !== 'calls.limited')
  await pay()
  await pay()
  expect(await alerts()).toEqual([])
  await pay()
  await pay()
  expect(await alerts()).toEqual(['budget.low'])
  await hub.sql(`update cost_alerts set at = at - interval '2 hours'`)
  await hub.call('setBudget', { body: { limitUsd: 0.06 } })
  await pay()
  expect(await alerts()).toEqual(['budget.low', 'budget.low'])

  await hub.call('setBudget', { body: { limitUsd: null } })
  const own = spender({ purpose: 'hub', agent: 'hub', taskId: null, state: 'executing' })
  await hub.call('setCallLimit', { body: { state: 'executing', perHour: 1_000, perDay: 1_000 } })
  for (let at = 0; at < 50; at += 1) await think(own)
  expect(await alerts()).toHaveLength(2)
  await pay(own)
  await pay(own)
  expect((await alerts()).filter((kind) => kind === 'calls.many')).toHaveLength(1)
})

test('how often the hub asked for itself is told by state beside what it may, and a new limit holds at once', async () => {
  const { hub, spender, pay, reserve } = await spending()
  const own = spender({ purpose: 'hub', agent: 'hub', taskId: null, state: 'improving' })
  await pay(own)
  await hub.sql(`update calls set at = at - interval '2 hours'`)
  await reserve(own)
  await pay()
  expect(await hub.call('getCalls', {})).toEqual({
    items: [
      { state: 'executing', hour: 0, day: 0, perHour: 20, perDay: 100 },
      { state: 'improving', hour: 1, day: 2, perHour: 10, perDay: 40 },
      { state: 'contemplating', hour: 0, day: 0, perHour: 5, perDay: 15 },
    ],
    hub: { hour: 1, day: 2 },
    tasks: { hour: 1, day: 1 },
  })
  await hub.call('setCallLimit', { body: { state: 'improving', perHour: 10, perDay: 2 } })
  await expect(reserve(own)).rejects.toMatchObject({ code: 'call_limit_reached' })
  await hub.call('setCallLimit', { body: { state: 'improving', perHour: 10, perDay: 3 } })
  await reserve(own)

  const other = await addWorkspace(hub.database, 'other')
  expect(await hub.call('getCalls', { token: other.token })).toMatchObject({
    items: [{}, { day: 0, perDay: 40 }, {}],
    hub: { day: 0 },
  })
})

test('a model whose price is not known may be called once its price is said, at that price', async () => {
  const { hub, reserve, pay } = await spending()
  await expect(reserve(undefined, 'new-model')).rejects.toMatchObject({ code: 'price_unknown' })
  expect(await hub.call('setPrice', { body: { model: 'new-model', inputUsd: 2, outputUsd: 4 } })).toEqual({
    ...{ model: 'new-model', inputUsd: 2, outputUsd: 4, cacheReadUsd: 2, cacheWriteUsd: 2, own: true },
  })
  await pay(undefined, 'new-model')
  expect((await hub.call('getCosts', {})).tasks.costUsd).toBe(0.006)

  // It also stands before the table's own.
  await hub.call('setPrice', { body: { model: 'gpt-5', inputUsd: 0, outputUsd: 1 } })
  const { items } = await hub.call('listPrices', {})
  expect(items.filter(({ model }) => model === 'gpt-5')).toMatchObject([{ inputUsd: 0, own: true }])
  expect(items.find(({ model }) => model === 'claude-opus')).toMatchObject({ own: false })

  await hub.call('removePrice', { params: { model: 'new-model' } })
  await expect(reserve(undefined, 'new-model')).rejects.toMatchObject({ code: 'price_unknown' })
  expect(await kinds(hub)).toEqual(['price.set', 'price.set', 'price.removed'])
})

test('what cannot be right is refused and changes nothing', async () => {
  const { hub } = await spending()
  const refused = async (...[name, input]: Parameters<typeof hub.call>) =>
    refusal(await hub.attempt(name, input)).code
  expect(await refused('setBudget', { body: { limitUsd: -1 } })).toBe('invalid_request')
  expect(await refused('setBudget', { body: {} })).toBe('invalid_request')
  expect(await refused('setPrice', { body: { model: 'm', inputUsd: 1 } })).toBe('invalid_request')
  expect(await refused('setPrice', { body: { model: 'm', inputUsd: 1, outputUsd: -1 } })).toBe(
    'invalid_request',
  )
  const tiny = { model: 'm', inputUsd: 0.000_000_1, outputUsd: 1 }
  expect(await refused('setPrice', { body: tiny })).toBe('invalid_request')
  expect(await refused('removePrice', { params: { model: 'gpt-5' } })).toBe('price_not_found')
  expect(await refused('getCosts', { query: { by: 'colour' } })).toBe('invalid_request')
  const span = { since: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z' }
  expect(await refused('getCosts', { query: span })).toBe('invalid_request')
  expect(await kinds(hub)).toEqual([])
  expect(await hub.sql('select scope from budgets union all select model from prices')).toEqual([])
})
