import type { Command } from '../context.ts'

type RestartOptions = { force?: boolean }

/** Answered when the worker has announced that it restarts; it is back when "worker show" says so. */
export const restartWorker: Command<RestartOptions, [string]> = async (
  { output, ...context },
  options,
  name,
) => {
  const hub = await context.hub()
  const force = options.force === true
  const worker = await hub.call('restartWorker', { params: { worker: name }, body: { force } })
  if (output.json) output.document(worker)
  else {
    output.note(
      force
        ? `${worker.name} restarts itself; what ran there goes back to the queue.`
        : `${worker.name} restarts itself as soon as what it runs has ended.`,
    )
  }
  return 0
}
