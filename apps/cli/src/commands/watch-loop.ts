import { isTerminal } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { ApiError } from '@muster/sdk/client'
import { followLive } from '@muster/sdk/live'
import type { Hub } from '../connection.ts'
import type { Output } from '../output.ts'
import { createTeller, type Teller } from './teller.ts'

export type WatchOptions = {
  output: Output
  showOutput: boolean
  signal: AbortSignal
}

// Live news makes the answer quick, asking now and then makes it certain.
const askEveryMs = 2_000
// A hub that is restarted is back within seconds; after this long somebody has to look.
const patienceMs = 600_000

/**
 * Follows a task to its end: steps on stderr and, if wanted, its output on stdout. What is true comes from asking the
 * hub for the task; the live messages only say when to ask, so nothing is missed when the hub restarts meanwhile.
 */
export async function watchUntilEnd(
  hub: Hub,
  task: Task,
  options: WatchOptions,
): Promise<Task | 'interrupted'> {
  const teller = createTeller(task, options)
  const wake = createWake(options.signal)
  const leave = followLive({
    origin: hub.origin,
    token: hub.token,
    ...(options.showOutput ? { output: { taskId: task.id } } : {}),
    onMessage: (message) => {
      teller.live(message)
      if (message.type === 'event' && message.event.taskId === task.id) wake.now()
    },
    onState: (state) => {
      if (state === 'open') wake.now()
    },
  })
  try {
    return await askUntilEnd(hub, task, { teller, wake, signal: options.signal })
  } finally {
    leave()
    teller.close()
  }
}

async function askUntilEnd(
  hub: Hub,
  task: Task,
  { teller, wake, signal }: { teller: Teller; wake: Wake; signal: AbortSignal },
): Promise<Task | 'interrupted'> {
  let current = task
  let awaySince: number | undefined
  for (;;) {
    teller.task(current)
    if (isTerminal(current.state)) {
      if (awaySince === undefined) await teller.outputSettled()
      return current
    }
    await wake.wait(askEveryMs)
    if (signal.aborted) return 'interrupted'
    try {
      current = await hub.call('getTask', { params: { task: task.id } })
      if (awaySince !== undefined) teller.back()
      awaySince = undefined
    } catch (error) {
      const away = error instanceof ApiError && [0, 429, 500, 502, 503, 504].includes(error.status)
      awaySince ??= Date.now()
      if (!away || Date.now() - awaySince > patienceMs) throw error
      teller.away()
    }
  }
}

type Wake = { now(): void; wait(limitMs: number): Promise<void> }

function createWake(signal: AbortSignal): Wake {
  let due = false
  let end: (() => void) | undefined
  const now = () => {
    due = true
    end?.()
  }
  signal.addEventListener('abort', now)
  return {
    now,
    async wait(limitMs) {
      if (!due) {
        let timer: ReturnType<typeof setTimeout> | undefined
        await new Promise<void>((resolve) => {
          end = resolve
          timer = setTimeout(resolve, limitMs)
        })
        clearTimeout(timer)
      }
      due = false
    },
  }
}
