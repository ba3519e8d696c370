import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'
import { shellWord } from './task-text.ts'

type Reason = { reason?: string }

export const cordonWorker: Command<Reason, [string]> = async ({ output, ...context }, options, name) => {
  const hub = await context.hub()
  const worker = await hub.call('cordonWorker', { params: { worker: name }, body: bodyOf(options) })
  if (output.json) output.document(worker)
  else {
    const left = worker.busy === 0 ? 'It runs nothing.' : `What it runs goes on: ${tasks(worker.busy)}.`
    output.note(`${worker.name} gets no new task. ${left} ${undo(worker.name)}`)
  }
  return 0
}

export const uncordonWorker: Command<object, [string]> = async ({ output, ...context }, _options, name) => {
  const hub = await context.hub()
  const worker = await hub.call('uncordonWorker', { params: { worker: name }, body: {} })
  if (output.json) output.document(worker)
  else output.note(`${worker.name} may have tasks again.`)
  return 0
}

export const stopWorker: Command<Reason, [string]> = async ({ output, ...context }, options, name) => {
  const hub = await context.hub()
  const stopped = await hub.call('stopWorker', { params: { worker: name }, body: bodyOf(options) })
  if (output.json) output.document(stopped)
  else {
    const heard =
      stopped.requeued === 0
        ? `${name} ran nothing.`
        : `${tasks(stopped.requeued)} of ${name} queued again. ` +
          (stopped.told === 0
            ? 'It could not be told; it stops by itself when its lease ends.'
            : 'It was told to stop at once.')
    output.note(`${heard} It gets no new task. ${undo(name)}`)
  }
  return 0
}

const lookEveryMs = 500

/** Ctrl-C only ends the waiting: the worker stays cordoned, as the person wanted. */
export const drainWorker: Command<Reason & { timeout?: number }, [string]> = async (
  { output, ...context },
  options,
  name,
) => {
  const hub = await context.hub()
  const deadline = performance.now() + (options.timeout ?? Number.POSITIVE_INFINITY)
  let worker = await hub.call('cordonWorker', { params: { worker: name }, body: bodyOf(options) })
  if (worker.busy > 0) {
    output.note(`${worker.name} gets no new task. Waiting for the end of ${tasks(worker.busy)}.`)
  }
  while (worker.busy > 0 && performance.now() < deadline) {
    output.status(`${worker.name} still runs ${tasks(worker.busy)} …`)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    worker = await hub.call('getWorker', { params: { worker: name } })
  }
  output.status('')
  if (output.json) output.document(worker)
  else if (worker.busy === 0) output.note(`${worker.name} runs nothing and gets no new task. ${undo(name)}`)
  else output.note(`${worker.name} still runs ${tasks(worker.busy)} and stays cordoned. ${undo(name)}`)
  return worker.busy === 0 ? exits.ok : exits.tryAgain
}

function tasks(number: number): string {
  return `${number} task${number === 1 ? '' : 's'}`
}

function undo(name: string): string {
  return `Undo: npx muster worker uncordon ${shellWord(name)}`
}

function bodyOf({ reason }: Reason): Reason {
  return reason === undefined ? {} : { reason }
}
