import { branchesFor, hubOfId } from '../engine/engine.ts'
import type { Stored } from '../engine/stored.ts'
import { sentence, type Expected, type Run, type Task, type Time } from './state.ts'

/**
 * Compares what is stored with what is expected, row by row, and answers the differences. Times that were known as a window
 * are exact from then on. Takes nothing over when anything differs.
 */
export function agree(expected: Expected, stored: Stored): string[] {
  const differences: string[] = []
  const exact: (() => void)[] = []
  const compare = (what: string, wanted: string, got: string) => {
    if (wanted !== got) differences.push(`${what}\n      expected ${wanted}\n      stored   ${got}`)
  }
  const compareTime = (what: string, wanted: Time | null, got: number | null) => {
    const fits =
      wanted === null ? got === null : got !== null && got >= wanted.from - slack && got <= wanted.to + slack
    if (!fits) return void differences.push(`${what}: expected ${shownTime(wanted)}, stored ${got}`)
    if (wanted !== null && got !== null) exact.push(() => Object.assign(wanted, { from: got, to: got }))
  }
  const nameOf = (id: string | null) => expected.workers.find((worker) => worker.id === id)?.name ?? id ?? '-'

  compare('tasks', expected.tasks.map((task) => task.id).join(), inOrder(expected, stored).join())
  for (const [index, task] of expected.tasks.entries()) {
    const name = `t${index}`
    const row = stored.tasks.find((each) => each.id === task.id)
    if (row === undefined) continue
    const workerName = task.worker === null ? '-' : (expected.workers[task.worker]?.name ?? '?')
    const runId = task.run === null ? '-' : (expected.runs[task.run]?.id ?? '?')
    compare(
      name,
      taskLine({ ...task, worker: workerName, run: runId, branch: realBranch(task) }),
      taskLine({ ...row, worker: nameOf(row.worker), run: row.run ?? '-' }),
    )
    compare(`events of ${name}`, task.events.join(', '), eventsOf(stored, task.id).join(', '))
    const evidence = stored.evidence.filter((each) => each.task === task.id).map((each) => each.commit)
    compare(`evidence of ${name}`, task.evidence ?? '', evidence.join())
    const needs = stored.needs.filter((each) => each.task === task.id).map((each) => each.needs)
    compare(
      `parents of ${name}`,
      task.needs
        .map((n) => expected.tasks[n]?.id ?? '?')
        .toSorted()
        .join(),
      needs.toSorted().join(),
    )

    const place = stored.queue.find((each) => each.task === task.id)
    compare(
      `place of ${name}`,
      placeLine(task, workerName),
      place === undefined
        ? '-'
        : `epoch ${place.epoch} lane ${place.lane} worker ${nameOf(place.worker)} accepted ${place.accepted !== null}`,
    )
    if (task.place === null || place === undefined) continue
    const { lease } = task.place
    compareTime(`place of ${name} in its lane`, task.place.enqueued, place.enqueued)
    compareTime(`when ${name} may start`, task.place.notBefore, place.notBefore)
    compareTime(`assignment of ${name}`, lease?.assigned ?? null, place.assigned)
    compareTime(`lease of ${name}`, lease?.expires ?? null, place.expires)
    compareTime(`deadline of ${name}`, lease?.deadline ?? null, place.deadline)
    compareTime(`last word of ${name}`, lease?.progress ?? null, place.progress)
  }
  compare('runs', String(expected.runs.length), String(stored.runs.length))
  for (const [index, run] of expected.runs.entries()) {
    const row = stored.runs.find((each) => each.id === run.id)
    if (row === undefined) continue
    const output = stored.output.filter((each) => each.run === run.id).map((each) => each.batch)
    compare(
      `r${index}`,
      runLine(run, expected),
      `t${expected.tasks.findIndex((task) => task.id === row.task)} ${runFacts({ ...row, output })} ${nameOf(row.worker)} ${row.branch ?? '-'}`,
    )
  }
  for (const worker of expected.workers) {
    const row = stored.workers.find((each) => each.id === worker.id)
    const events = stored.events.filter(
      (event) => event.task === null && event.data['workerId'] === worker.id,
    )
    compare(
      `worker ${worker.name}`,
      `hub ${worker.hub} ${worker.instance} ${worker.events.join()}`,
      `hub ${hubOfId(row?.hub ?? null)} ${row?.instance} ${events
        .map((event) => event.kind)
        .filter((kind) => comings.includes(kind))
        .join()}`,
    )
    compareTime(`last sight of ${worker.name}`, worker.seen, row?.seen ?? null)
  }
  compare('keys', String(Object.keys(expected.keys).length), String(stored.keys.length))
  if (differences.length === 0) for (const take of exact) take()
  return differences
}

const comings = ['worker.connected', 'worker.disconnected']

// The database counts microseconds and hands them over as a binary fraction.
const slack = 0.01

const shownTime = (time: Time | null) => (time === null ? 'none' : `${time.from}…${time.to}`)

const taskLine = (
  task:
    | (Pick<
        Task,
        'state' | 'ending' | 'epoch' | 'attempt' | 'losses' | 'failures' | 'phase' | 'branch' | 'commit'
      > & {
        worker: string
        run: string
      })
    | Stored['tasks'][number],
) =>
  `${task.state} ending ${task.ending} epoch ${task.epoch} attempt ${task.attempt} losses ${task.losses} failures ${task.failures} phase ${task.phase} worker ${task.worker} run ${task.run} branch ${task.branch} commit ${task.commit}`

function placeLine({ place, epoch, lane }: Task, worker: string): string {
  if (place === null) return '-'
  return `epoch ${epoch} lane ${lane} worker ${place.lease === null ? '-' : worker} accepted ${place.lease?.accepted ?? false}`
}

const runFacts = (run: Pick<Run, 'epoch' | 'attempt' | 'phase' | 'ending' | 'commit' | 'output'>) =>
  `epoch ${run.epoch} attempt ${run.attempt} phase ${run.phase} ending ${run.ending} commit ${run.commit} output [${run.output}]`

function runLine(run: Run, expected: Expected): string {
  const branch = realBranch({ branch: run.branch, id: expected.tasks[run.task]?.id ?? '' })
  return `t${run.task} ${runFacts(run)} ${expected.workers[run.worker]?.name} ${branch ?? '-'}`
}

function realBranch({ id, branch }: { id: string; branch: string | null }): string | null {
  if (branch === null) return null
  return branchesFor(id)[branch as 'proven' | 'kept']
}

/** In the program's order; what it does not know comes last. */
function inOrder(expected: Expected, stored: Stored): string[] {
  const known = new Map(expected.tasks.map((task, index) => [task.id, index]))
  return stored.tasks
    .map((task) => task.id)
    .toSorted((a, b) => (known.get(a) ?? Infinity) - (known.get(b) ?? Infinity))
}

const eventsOf = (stored: Stored, task: string) =>
  stored.events.filter((event) => event.task === task).map((event) => sentence(event.kind, event.data))
