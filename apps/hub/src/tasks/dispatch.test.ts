import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { dispatch, whyUnfit, type Offered, type Waiting } from './dispatch.ts'

const worker = (name: string, free: number, more: Partial<Offered> = {}): Offered => ({
  workerId: name,
  name,
  walls: ['namespace'],
  capabilities: [],
  free,
  ...more,
})
const task = (taskId: string, more: Partial<Waiting> = {}): Waiting => ({
  taskId,
  wall: 'namespace',
  needs: [],
  onlyWorker: null,
  model: null,
  ...more,
})
const pairs = (placed: ReturnType<typeof dispatch>) => placed.map((each) => [each.taskId, each.worker.name])

test('tasks go to the worker with the most free slots, so that they spread', () => {
  const placed = dispatch(
    ['1', '2', '3', '4'].map((id) => task(id)),
    [worker('a', 1), worker('b', 3)],
    10,
  )
  expect(pairs(placed)).toEqual([
    ['1', 'b'],
    ['2', 'b'],
    ['3', 'a'],
    ['4', 'b'],
  ])
})

test('a task that fits nobody does not hold up the one behind it', () => {
  const placed = dispatch([task('1', { needs: ['gpu'] }), task('2')], [worker('a', 1)], 10)
  expect(pairs(placed)).toEqual([['2', 'a']])
})

test('a task goes only to the worker it names, and says so', () => {
  const [placed] = dispatch([task('1', { onlyWorker: 'b' })], [worker('a', 9), worker('b', 1)], 10)
  expect(placed).toMatchObject({ worker: { name: 'b' }, reason: 'Given to b: the task names it.' })
  expect(placed?.candidates).toEqual([
    { worker: 'b', free: 1, fits: true, why: 'chosen' },
    { worker: 'a', free: 9, fits: false, why: 'the task names another worker' },
  ])
})

test('what is missing is named', () => {
  expect(whyUnfit(task('1', { needs: ['gpu', 'cuda'] }), worker('a', 1, { capabilities: ['gpu'] }))).toBe(
    'does not have cuda',
  )
  expect(whyUnfit(task('1', { wall: 'microvm' }), worker('a', 1))).toBe('offers no microvm wall')
})

const workers = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    free: fc.integer({ min: 0, max: 4 }),
    capabilities: fc.subarray(['gpu', 'net']),
    walls: fc.subarray(['namespace', 'microvm']),
  }),
  { selector: ({ name }) => name },
)
const tasks = fc.array(
  fc.record({
    needs: fc.subarray(['gpu', 'net']),
    wall: fc.constantFrom('namespace', 'microvm'),
    onlyWorker: fc.option(fc.constantFrom('a', 'b', 'c', 'd')),
    model: fc.constant(null),
  }),
  { maxLength: 20 },
)

test('whatever waits and whoever offers: no slot twice, no task twice, no misfit, and nobody is passed over', () => {
  fc.assert(
    fc.property(tasks, workers, fc.integer({ min: 0, max: 8 }), (wanted, offered, limit) => {
      const queue = wanted.map((each, at) => ({ ...each, taskId: String(at) }))
      const offers = offered.map((each) => ({ ...each, workerId: each.name }))
      const placed = dispatch(queue, offers, limit)
      expect(placed.length).toBeLessThanOrEqual(limit)
      expect(new Set(placed.map((each) => each.taskId)).size).toBe(placed.length)
      const left = new Map<string, number>(offers.map((each) => [each.name, each.free]))
      let at = 0
      for (const { taskId, worker: chosen } of placed) {
        const next = queue.find((each) => each.taskId === taskId) as Waiting
        expect(whyUnfit(next, chosen)).toBeUndefined()
        // Whoever was passed over could go nowhere at that moment.
        for (const passed of queue.slice(at, Number(taskId))) {
          expect(
            offers.some((each) => (left.get(each.name) ?? 0) > 0 && whyUnfit(passed, each) === undefined),
          ).toBe(false)
        }
        at = Number(taskId) + 1
        left.set(chosen.name, (left.get(chosen.name) ?? 0) - 1)
        expect(left.get(chosen.name)).toBeGreaterThanOrEqual(0)
      }
      if (placed.length === limit) return
      for (const rest of queue.slice(at)) {
        expect(
          offers.some((each) => (left.get(each.name) ?? 0) > 0 && whyUnfit(rest, each) === undefined),
        ).toBe(false)
      }
    }),
  )
})
