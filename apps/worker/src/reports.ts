import type { WorkerMessage } from '@muster/contract/wire'
import type { Answer } from './connection.ts'
import { stopRun, type HeldRun } from './held-run.ts'
import type { HubLink } from './hub-link.ts'
import type { Log } from './log.ts'
import { createOutputStream } from './output-stream.ts'
import type { RunReports } from './run-tools.ts'
import { WireError } from './wire-error.ts'

type Body<M> = M extends { id: number; taskId: string; epoch: number }
  ? Omit<M, 'id' | 'taskId' | 'epoch'>
  : never

/** Delivers a message about a run under its epoch; rejects when the hub refuses it or the run is stopped. */
export function deliver(link: HubLink, run: HeldRun, body: Body<WorkerMessage>): Promise<Answer> {
  const { taskId, epoch } = run.assignment
  return link.deliver({ ...body, taskId, epoch } as Parameters<HubLink['deliver']>[0], run.stop.signal)
}

/** A report that was refused as stale ends the run here too; any other failure is only said. */
export function onRefused(run: HeldRun, error: unknown, log: Log): void {
  if (error instanceof WireError && error.code === 'stale_epoch') stopRun(run, 'lease_lost', log)
  else if (!run.stop.signal.aborted) log.warn({ err: error }, 'a report of a run was not taken')
}

// As the wire allows; what is longer is seen whole in the step.
const deltaChars = 64_000

/** What a run tells while it goes: in order and without waiting, so that it does not stand still while the hub writes. */
export function createReports(
  link: HubLink,
  run: HeldRun,
  log: Log,
): RunReports & { settled(): Promise<void> } {
  let told = Promise.resolve()
  const tell = (body: Body<WorkerMessage>) => {
    told = told
      .then(() => deliver(link, run, body))
      .then(
        () => {},
        (error: unknown) => onRefused(run, error, log),
      )
  }
  const output = createOutputStream({
    send: (batch, chunks) => deliver(link, run, { type: 'output', batch, chunks }).then(() => {}),
    onError: (error) => onRefused(run, error, log),
  })
  return {
    output,
    phase: (phase) => {
      run.phase = phase
      tell({ type: 'phase', phase })
    },
    progress: (text, percent) => {
      const { taskId, epoch } = run.assignment
      // As the far side of a fetch words it.
      const within = percent === null ? null : Math.min(percent, 100)
      link.tell({ type: 'progress', taskId, epoch, text: text.slice(0, 256), percent: within })
    },
    delta(channel, text) {
      const { taskId, epoch } = run.assignment
      link.tell({ type: 'delta', taskId, epoch, channel, text: text.slice(0, deltaChars) })
    },
    async step(step) {
      // Behind the phases, so that the events of a task tell its story in order.
      await told
      await deliver(link, run, { type: 'step', ...step })
    },
    async resume() {
      const answer = await deliver(link, run, { type: 'resume' })
      return answer.type === 'reply' ? (answer.checkpoint ?? null) : null
    },
    async publish(branch, commit) {
      // Behind the phases that were told: the events of a task must not have its grant before what it was granted for.
      await told
      await deliver(link, run, { type: 'publish', branch, commit })
    },
    async settled() {
      await output.end()
      await told
    },
  }
}
