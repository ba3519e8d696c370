import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'

type Reason = { reason?: string }

export const cordonWorker: Command<Reason, [string]> = async ({ output, ...context }, options, name) => {
  const hub = await context.hub()
  const worker = await hub.call('cordonWorker', { params: { worker: name }, body: bodyOf(options) })
  if (output.json) output.document(worker)
  else {
    const left = worker.busy === 0 ? 'It holds nothing.' : `It still holds ${worker.busy}.`
    output.note(`${worker.name} gets no new task. ${left} Undo: npx muster worker uncordon ${worker.name}`)
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
    const heard = stopped.told === 0 ? 'It could not be told and stops when its lease ends.' : 'It was told.'
    output.note(`Took back ${stopped.requeued} from ${name}, which gets nothing new. ${heard}`)
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
  while (worker.busy > 0 && performance.now() < deadline) {
    output.status(`${worker.name} still holds ${worker.busy} …`)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    worker = await hub.call('getWorker', { params: { worker: name } })
  }
  output.status('')
  if (output.json) output.document(worker)
  else if (worker.busy === 0) output.note(`${worker.name} holds nothing and gets nothing new.`)
  else output.note(`${worker.name} still holds ${worker.busy}; it stays cordoned and gets nothing new.`)
  return worker.busy === 0 ? exits.ok : exits.tryAgain
}

function bodyOf({ reason }: Reason): Reason {
  return reason === undefined ? {} : { reason }
}
