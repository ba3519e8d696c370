import type { Told } from '../load/history.ts'
import type { Effect } from '../rig/effects.ts'
import { orphanLimitMs } from '../settings.ts'
import { fold } from './fold.ts'
import type { EventFact, Story, TaskFact } from './story.ts'

export type Violation = { invariant: string; what: string }

/** Everything the rig knows from outside of the database, to hold its story against. */
export type Outside = {
  told: readonly Told[]
  effects: readonly Effect[]
  /** The commit each task's branch points at in the end. */
  branchOf: (taskId: string) => string | null
}

/**
 * The invariants over one story. Called when everything has ended, so a task that has not is stuck; the caller tells
 * whether it should have. Pure: the unit tests feed it stories with every lie it must see.
 */
export function check(story: Story, outside: Outside): Violation[] {
  return [
    ...lost(story, outside.told),
    ...repeated(story, outside.told),
    ...endedOnce(story),
    ...fenced(story),
    ...orphans(story),
    ...told(story),
    ...kept(story, outside),
    ...answered(outside.told),
  ]
}

/** I-1: every acknowledged task is there, and in exactly one place. */
function lost({ tasks, queue }: Story, told: readonly Told[]): Violation[] {
  const found: Violation[] = []
  const byId = new Map(tasks.map((task) => [task.id, task]))
  for (const entry of told) {
    if (entry.what === 'created' && !byId.has(entry.id))
      found.push({ invariant: 'I-1', what: `${entry.key} was acknowledged as ${entry.id} and is lost` })
  }
  const queued = new Map(queue.map((row) => [row.taskId, row]))
  for (const task of tasks) {
    const row = queued.get(task.id)
    const wanted = placeOf[task.state] ?? 'nowhere'
    const is = row === undefined ? 'nowhere' : row.workerId === null ? 'waiting' : 'leased'
    if (is !== wanted)
      found.push({ invariant: 'I-1', what: `${named(task)} is ${task.state}, and in the queue ${is}` })
    else if (row !== undefined && row.epoch !== task.epoch)
      found.push({
        invariant: 'I-1',
        what: `${named(task)} has epoch ${task.epoch}, its queue row ${row.epoch}`,
      })
  }
  return found
}

const placeOf: Record<string, string> = {
  queued: 'waiting',
  assigned: 'leased',
  running: 'leased',
  verifying: 'leased',
}

/** I-6: one task for each key, whatever was repeated, and always the same answer. */
function repeated({ tasks }: Story, told: readonly Told[]): Violation[] {
  const found: Violation[] = []
  for (const [title, same] of Map.groupBy(tasks, (task) => task.title)) {
    if (same.length > 1) found.push({ invariant: 'I-6', what: `${title} was created ${same.length} times` })
  }
  const created = told.filter((entry) => entry.what === 'created')
  for (const [key, answers] of Map.groupBy(created, (entry) => entry.key)) {
    const ids = new Set(answers.map((answer) => answer.id))
    if (ids.size > 1) found.push({ invariant: 'I-6', what: `${key} was answered with ${ids.size} ids` })
  }
  return found
}

/** I-2: one end, one evidence, and both of the run that had the task's last epoch. */
function endedOnce({ tasks, events, evidence, runs }: Story): Violation[] {
  const found: Violation[] = []
  const say = (task: TaskFact, what: string) =>
    found.push({ invariant: 'I-2', what: `${named(task)} ${what}` })
  const ofTask = Map.groupBy(events, (event) => event.taskId)
  const proofs = Map.groupBy(evidence, (row) => row.taskId)
  const runOf = new Map(runs.map((run) => [run.runId, run]))
  for (const task of tasks) {
    const { ends } = fold(ofTask.get(task.id) ?? [])
    if (ends > 1) say(task, `ended ${ends} times`)
    const proof = proofs.get(task.id) ?? []
    if (task.state !== 'done') {
      if (proof.length > 0) say(task, `is ${task.state} and has evidence`)
      continue
    }
    if (proof.length !== 1 || proof[0] === undefined) {
      say(task, `is done with ${proof.length} evidences`)
      continue
    }
    const run = runOf.get(proof[0].runId)
    if (run?.epoch !== task.epoch)
      say(task, `has epoch ${task.epoch} and evidence of a run of epoch ${String(run?.epoch)}`)
    if (proof[0].commit !== task.commit || run?.commit !== task.commit)
      say(task, 'has evidence about another commit')
  }
  const doneRuns = runs.filter((run) => run.ending === 'verified')
  for (const [taskId, same] of Map.groupBy(doneRuns, (run) => run.taskId)) {
    if (same.length > 1) found.push({ invariant: 'I-2', what: `${taskId} has ${same.length} verified runs` })
  }
  return found
}

/** I-3: nothing was written under an epoch after a newer one, or the end, had taken its place. */
function fenced({ events, output }: Story): Violation[] {
  const found: Violation[] = []
  const stored = Map.groupBy(output, (row) => row.taskId)
  for (const [taskId, ofTask] of Map.groupBy(events, (event) => event.taskId)) {
    const inTime = ofTask.toSorted((a, b) => a.writtenAt - b.writtenAt)
    let current = 0
    for (const event of inTime) {
      const epoch = epochOf(event)
      if (event.kind === 'task.assigned') {
        if (epoch !== undefined && epoch <= current)
          found.push({
            invariant: 'I-3',
            what: `${taskId} was assigned with epoch ${epoch} after ${current}`,
          })
        current = epoch ?? current
      } else if (epoch !== undefined && ofRun.includes(event.kind) && epoch < current)
        found.push({
          invariant: 'I-3',
          what: `${event.kind} of epoch ${epoch} of ${taskId} after ${current}`,
        })
    }
    for (const row of stored.get(taskId) ?? []) {
      const over = inTime.find((event) => endsEpoch(event, row.epoch) && event.writtenAt < row.writtenAt)
      if (over !== undefined)
        found.push({
          invariant: 'I-3',
          what: `${taskId} stored output of epoch ${row.epoch} after ${over.kind}`,
        })
    }
  }
  return found
}

const ofRun = ['task.accepted', 'task.phase', 'task.done', 'task.requeued', 'run.publish_granted']

function epochOf({ data }: EventFact): number | undefined {
  return typeof data['epoch'] === 'number' ? data['epoch'] : undefined
}

function endsEpoch(event: EventFact, epoch: number): boolean {
  if (event.kind === 'task.assigned') return (epochOf(event) ?? 0) > epoch
  if (['task.requeued', 'task.cancelled'].includes(event.kind)) return (epochOf(event) ?? 0) >= epoch
  return false
}

/** I-4: no lease stays ended for longer than it may take to notice. */
function orphans({ queue }: Story): Violation[] {
  return queue
    .filter((row) => (row.overdueMs ?? 0) > orphanLimitMs)
    .map((row) => ({
      invariant: 'I-4',
      what: `${row.taskId} has a lease that ended ${Math.round(row.overdueMs ?? 0)} ms ago`,
    }))
}

/** I-5: the events tell the same as the rows. */
function told({ tasks, events }: Story): Violation[] {
  const ofTask = Map.groupBy(events, (event) => event.taskId)
  return tasks.flatMap((task) => {
    const folded = fold(ofTask.get(task.id) ?? [])
    const wrong = folded.impossible.map((each) => `${named(task)}: ${each}`)
    if (folded.state !== task.state)
      wrong.push(`${named(task)} is ${task.state}, by its events ${folded.state}`)
    // An end that no worker reported raises the epoch without an assignment.
    if (folded.epoch > task.epoch)
      wrong.push(`${named(task)} has epoch ${task.epoch}, by its events ${folded.epoch}`)
    return wrong.map((what) => ({ invariant: 'I-5', what }))
  })
}

/** What is outside of the database agrees with it: branches, acknowledged cancellations, and runs that ended. */
function kept({ tasks, evidence }: Story, outside: Outside): Violation[] {
  const found: Violation[] = []
  const byId = new Map(tasks.map((task) => [task.id, task]))
  for (const { taskId, commit } of evidence) {
    const branch = outside.branchOf(taskId)
    if (branch !== commit)
      found.push({
        invariant: 'I-3',
        what: `${taskId} is proven for ${commit}; its branch is ${String(branch)}`,
      })
  }
  for (const entry of outside.told) {
    const state = entry.what === 'cancelled' ? byId.get(entry.id)?.state : undefined
    if (entry.what === 'cancelled' && state !== 'cancelled')
      found.push({
        invariant: 'I-15',
        what: `${entry.id} was acknowledged as cancelled and is ${String(state)}`,
      })
  }
  const began = Map.groupBy(
    outside.effects.filter((effect) => effect.what === 'began'),
    (effect) => `${effect.taskId}:${effect.epoch}`,
  )
  for (const [key, same] of began) {
    if (same.length > 1)
      found.push({ invariant: 'I-2', what: `the run ${key} was begun ${same.length} times` })
  }
  return found
}

/** Faults may delay an answer; they do not excuse a wrong one. */
function answered(told: readonly Told[]): Violation[] {
  return told.flatMap((entry) => {
    if (entry.what === 'wrong_answer')
      return [{ invariant: 'R-7', what: `${entry.of} was answered ${entry.status}: ${entry.text}` }]
    if (entry.what === 'never_answered')
      return [{ invariant: 'R-7', what: `${entry.of} was not answered after the fault had healed` }]
    return []
  })
}

function named(task: TaskFact): string {
  return `${task.title} (${task.id.slice(-8)})`
}
