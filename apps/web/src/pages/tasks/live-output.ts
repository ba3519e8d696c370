import { useEffect, useState, useSyncExternalStore } from 'react'
import { followLive } from '@muster/sdk/live'
import { client } from '../../api/client.ts'
import { createOutputLines, type OutputSnapshot } from './output-lines.ts'

type Progress = { text: string; percent: number | null }

/** `saying`: what the model of the task has said since its last step, and what is not kept anywhere yet. */
export type LiveOutput = OutputSnapshot & { caughtUp: boolean; progress: Progress | null; saying: string }

// A model that talks for ever must not fill the memory of the page.
const longestSaying = 20_000

/** The output of a task from its first chunk on, as it comes; `caughtUp` once what was kept has been read. */
export function useLiveOutput(taskId: string): LiveOutput {
  const [output] = useState(() => createOutputLines((flush) => setTimeout(flush, 50)))
  const [caughtUp, setCaughtUp] = useState(false)
  const [progress, setProgress] = useState<Progress | null>(null)
  const [saying, setSaying] = useState('')
  useEffect(
    () =>
      followLive({
        origin: client.origin,
        output: { taskId },
        onMessage: (message) => {
          if (message.type === 'output' && message.taskId === taskId) {
            output.add(message.chunk)
            setProgress(null)
          }
          if (message.type === 'delta' && message.taskId === taskId && message.channel === 'text')
            setSaying((before) => (before + message.text).slice(-longestSaying))
          if (message.type === 'progress' && message.taskId === taskId) setProgress(message)
          if (message.type === 'event' && message.event.taskId === taskId) {
            setProgress(null)
            if (message.event.kind === 'run.step') setSaying('')
          }
          if (message.type === 'caught_up') setCaughtUp(true)
        },
      }),
    [taskId, output],
  )
  const snapshot = useSyncExternalStore(output.subscribe, output.snapshot)
  return { ...snapshot, caughtUp, progress, saying }
}
