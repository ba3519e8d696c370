import type { LiveMessage } from '@muster/contract/live'
import { isTerminal } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { ApiError } from '@muster/sdk/client'
import { followLive } from '@muster/sdk/live'
import type { Hub } from '../connection.ts'
import { formatDuration } from '../duration.ts'
import type { Output } from '../output.ts'
import { createNeutraliser, neutraliseLine } from '../terminal-text.ts'

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
      // The last words may still be on their way.
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

type Teller = ReturnType<typeof createTeller>

function createTeller(first: Task, { output, showOutput }: WatchOptions) {
  const started = Date.now()
  const clean = { stdout: createNeutraliser(), stderr: createNeutraliser(), system: createNeutraliser() }
  let told = ''
  let step = ''
  let quietSince = Date.now()
  let isAway = false
  let toldPercent = -1
  const elapsed = () => formatDuration(Date.now() - started).padStart(6)
  const tell = (text: string) => output.note(`${elapsed()}  ${text}`)
  const showStatus = () => output.status(`${elapsed()}  ${isAway ? 'the hub is away' : step} …`)
  const ticking = output.lively ? setInterval(showStatus, 1_000) : undefined

  const progress = (text: string, percent: number | null) => {
    step = `${neutraliseLine(text)}${percent === null ? '' : ` ${Math.floor(percent)} %`}`
    if (output.lively) return showStatus()
    // Where lines stay, every tenth percent is enough.
    const tenth = percent === null ? -1 : Math.floor(percent / 10)
    if (tenth > toldPercent) tell(step)
    toldPercent = tenth
  }
  return {
    task(task: Task) {
      const now = describeStep(task)
      if (now === told) return
      told = now
      step = now
      toldPercent = -1
      tell(now)
    },
    live(message: LiveMessage) {
      if (message.type === 'progress' && message.taskId === first.id) progress(message.text, message.percent)
      if (message.type !== 'output' || !showOutput) return
      quietSince = Date.now()
      const text = clean[message.chunk.stream](message.chunk.text)
      if (output.json || message.chunk.stream === 'system') {
        if (text.trim() !== '') tell(text.trimEnd())
      } else output.data(text)
    },
    async outputSettled() {
      if (!showOutput) return
      const deadline = Date.now() + 3_000
      while (Date.now() - quietSince < 400 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    away() {
      if (!isAway) tell('the hub does not answer; the task goes on, waiting for the hub')
      isAway = true
    },
    back() {
      if (isAway) tell('the hub is back')
      isAway = false
    },
    close() {
      clearInterval(ticking)
      output.status('')
    },
  }
}

function describeStep(task: Task): string {
  const phase = task.phase === null || task.phase === task.state ? '' : `, ${task.phase.replaceAll('_', ' ')}`
  const worker = task.worker === null || isTerminal(task.state) ? '' : ` on ${neutraliseLine(task.worker)}`
  const attempt = task.attempt > 1 ? `, attempt ${task.attempt}` : ''
  const why = task.state === 'waiting' || task.state === 'queued' ? task.reason : null
  return `${task.state}${worker}${phase}${attempt}${why === null ? '' : `: ${neutraliseLine(why)}`}`
}
