import { expect, test } from 'vitest'
import { check, type Outside } from './checker.ts'
import type { EventFact, Story } from './story.ts'

const commit = 'c'.repeat(40)

/** A task that was handed in, lost once and done by the second run: nothing is wrong with it. */
function goodStory(): Story {
  return {
    tasks: [
      { id: 'task-1', title: 'key-1', state: 'done', ending: 'verified', epoch: 2, commit, runId: 'run-2' },
    ],
    queue: [],
    runs: [
      { taskId: 'task-1', runId: 'run-1', epoch: 1, ending: 'lost', commit: null },
      { taskId: 'task-1', runId: 'run-2', epoch: 2, ending: 'verified', commit },
    ],
    evidence: [{ taskId: 'task-1', runId: 'run-2', commit }],
    events: told([
      ['task.created', { state: 'queued' }],
      ['task.assigned', { epoch: 1 }],
      ['task.accepted', { epoch: 1 }],
      ['task.phase', { epoch: 1, phase: 'running' }],
      ['task.requeued', { epoch: 1 }],
      ['task.assigned', { epoch: 2 }],
      ['task.accepted', { epoch: 2 }],
      ['task.phase', { epoch: 2, phase: 'verifying' }],
      ['task.done', { epoch: 2 }],
    ]),
    output: [
      { taskId: 'task-1', epoch: 1, writtenAt: 4.5 },
      { taskId: 'task-1', epoch: 2, writtenAt: 7.5 },
    ],
  }
}

function told(events: [string, Record<string, unknown>][]): EventFact[] {
  return events.map(([kind, data], at) => ({ kind, data, taskId: 'task-1', runId: null, writtenAt: at + 1 }))
}

const outside: Outside = {
  told: [{ what: 'created', key: 'key-1', id: 'task-1', repeat: false }],
  effects: [{ what: 'began', at: 1, worker: 'w1', taskId: 'task-1', epoch: 1, runId: 'run-1' }],
  branchOf: () => commit,
}

/** The first of its violations; the others follow from the same lie. */
function complaints(change: (story: Story) => void, more: Partial<Outside> = {}): string[] {
  const story = goodStory()
  change(story)
  return check(story, { ...outside, ...more }).map(({ invariant, what }) => `${invariant} ${what}`)
}

const nothing = () => {}
const leased = { taskId: 'task-1', epoch: 2, workerId: 'w', overdueMs: -900 }

test('a true story is believed', () => {
  expect(complaints(nothing)).toEqual([])
})

const lies: [string, (story: Story) => void, Partial<Outside>, RegExp][] = [
  [
    'an acknowledged task is gone',
    nothing,
    { told: [{ what: 'created', key: 'key-2', id: 'task-2', repeat: false }] },
    /^I-1 key-2 was acknowledged as task-2 and is lost/,
  ],
  [
    'a waiting task has no place in the queue',
    ({ tasks }) => void Object.assign(tasks[0] ?? {}, { state: 'queued' }),
    {},
    /^I-1 .* is queued, and in the queue nowhere/,
  ],
  ['an ended task still has one', ({ queue }) => void queue.push(leased), {}, /^I-1 .* in the queue leased/],
  [
    'a task ends twice',
    ({ events }) => void events.push(...told([['task.done', { epoch: 2 }]])),
    {},
    /^I-2 .* ended 2 times/,
  ],
  [
    'a task is done without evidence',
    (story) => void (story.evidence = []),
    {},
    /^I-2 .* is done with 0 evidences/,
  ],
  [
    'the evidence is of the run that was lost',
    ({ evidence }) => void Object.assign(evidence[0] ?? {}, { runId: 'run-1' }),
    {},
    /^I-2 .* has epoch 2 and evidence of a run of epoch 1/,
  ],
  [
    'a dead task has evidence',
    ({ tasks }) => void Object.assign(tasks[0] ?? {}, { state: 'dead' }),
    {},
    /^I-2 .* is dead and has evidence/,
  ],
  [
    'two runs of a task are verified',
    ({ runs }) => void Object.assign(runs[0] ?? {}, { ending: 'verified' }),
    {},
    /^I-2 task-1 has 2 verified runs/,
  ],
  [
    'an old run enters a phase under a newer one',
    ({ events }) => void Object.assign(events[7] ?? {}, { data: { epoch: 1, phase: 'verifying' } }),
    {},
    /^I-3 task.phase of epoch 1 of task-1 after 2/,
  ],
  [
    'an epoch is given out twice',
    ({ events }) => void Object.assign(events[5] ?? {}, { data: { epoch: 1 } }),
    {},
    /^I-3 task-1 was assigned with epoch 1 after 1/,
  ],
  [
    'a lost run stores output',
    ({ output }) => void Object.assign(output[0] ?? {}, { writtenAt: 5.5 }),
    {},
    /^I-3 task-1 stored output of epoch 1 after task.requeued/,
  ],
  [
    'the branch is not the proven commit',
    nothing,
    { branchOf: () => null },
    /^I-3 task-1 is proven for c+; its branch is null/,
  ],
  [
    'a lease has been over for long',
    ({ tasks, queue }) => {
      Object.assign(tasks[0] ?? {}, { state: 'running' })
      queue.push({ ...leased, overdueMs: 5_001 })
    },
    {},
    /^I-4 task-1 has a lease that ended 5001 ms ago/,
  ],
  ['an end has no event', (story) => void story.events.pop(), {}, /^I-5 .* is done, by its events verifying/],
  [
    'an event cannot follow on the one before',
    ({ events }) => void events.splice(2, 3),
    {},
    /^I-5 .*task.assigned on a task that is assigned/,
  ],
  [
    'a repeated request makes a second task',
    ({ tasks }) => void tasks.push({ ...goodStory().tasks[0], id: 'task-2' } as Story['tasks'][0]),
    {},
    /^I-6 key-1 was created 2 times/,
  ],
  [
    'a repeated request is answered with another task',
    nothing,
    { told: [...outside.told, { what: 'created', key: 'key-1', id: 'task-9', repeat: true }] },
    /^I-6 key-1 was answered with 2 ids/,
  ],
  [
    'an acknowledged cancellation did not happen',
    nothing,
    { told: [{ what: 'cancelled', id: 'task-1' }] },
    /^I-15 task-1 was acknowledged as cancelled and is done/,
  ],
  [
    'one epoch is run twice',
    nothing,
    { effects: [...outside.effects, ...outside.effects] },
    /^I-2 the run task-1:1 was begun 2 times/,
  ],
  [
    'the hub answers 500',
    nothing,
    { told: [{ what: 'wrong_answer', of: 'create key-1', status: 500, text: 'x' }] },
    /^R-7 create key-1 was answered 500/,
  ],
  [
    'a client is never answered',
    nothing,
    { told: [{ what: 'never_answered', of: 'create key-1' }] },
    /^R-7 create key-1 was not answered/,
  ],
]

test.each(lies)('the checker complains when %s', (_, change, more, complaint) => {
  expect(complaints(change, more)).toContainEqual(expect.stringMatching(complaint))
})
