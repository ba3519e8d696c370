import type { LiveMessage } from '@muster/contract/live'
import { isTerminal } from '@muster/contract/task-states'
import type { Task } from '@muster/contract/tasks'
import { formatDuration } from '../duration.ts'
import type { Output } from '../output.ts'
import { createNeutraliser, neutraliseLine } from '../terminal-text.ts'
import { stepLine } from './step-line.ts'

export type Teller = ReturnType<typeof createTeller>

/** Tells a person what is new about a task, and only that: steps on stderr, what the agent wrote on stdout. */
export function createTeller(first: Task, { output, showOutput }: { output: Output; showOutput: boolean }) {
  const started = Date.now()
  const clean = { stdout: createNeutraliser(), stderr: createNeutraliser(), system: createNeutraliser() }
  let told = ''
  let step = ''
  let quietSince = Date.now()
  let caughtUp = false
  let isAway = false
  let toldPercent = -1
  let toldAt = 0
  const elapsed = () => formatDuration(Date.now() - started).padStart(6)
  const tell = (text: string) => {
    toldAt = Date.now()
    output.note(`${elapsed()}  ${text}`)
  }
  const showStatus = () => output.status(`${elapsed()}  ${isAway ? 'the hub is away' : step} …`)
  const ticking = output.lively ? setInterval(showStatus, 1_000) : undefined

  const progress = (text: string, percent: number | null) => {
    step = `${neutraliseLine(text)}${percent === null ? '' : ` ${Math.floor(percent)} %`}`
    if (output.lively) return showStatus()
    // Where lines stay, a new tenth percent after a second of silence is enough: most clones are over before that.
    const tenth = percent === null ? -1 : Math.floor(percent / 10)
    // Another step began from the start.
    if (tenth < toldPercent) toldPercent = -1
    if (tenth <= toldPercent || Date.now() - toldAt < 1_000) return
    tell(step)
    toldPercent = tenth
  }
  /** With showOutput the output of the run has it. */
  const tellStep = (data: Record<string, unknown>) => {
    const text = (name: string) => (typeof data[name] === 'string' ? data[name] : '')
    const shown = { kind: text('kind'), tool: text('tool'), args: text('args'), result: text('result') }
    const line = stepLine({ ...shown, text: text('text'), success: data['success'] === true })
    if (!showOutput) tell(`step ${String(data['seq'])}  ${line}`)
  }
  return {
    task(task: Task) {
      // A wait until a given time is told once and not again with every second that it gets shorter.
      const same = describeStep({ ...task, notBefore: null })
      if (same === told) return
      const now = describeStep(task)
      told = same
      step = now
      toldPercent = -1
      tell(now)
    },
    live(message: LiveMessage) {
      if (message.type === 'progress' && message.taskId === first.id) progress(message.text, message.percent)
      if (message.type === 'event' && message.event.kind === 'run.step' && message.event.taskId === first.id)
        tellStep(message.event.data)
      if (message.type === 'caught_up') caughtUp = true
      if (message.type !== 'output' || !showOutput) return
      quietSince = Date.now()
      const text = clean[message.chunk.stream](message.chunk.text)
      if (output.json || message.chunk.stream === 'system') {
        if (text.trim() !== '') tell(text.trimEnd())
      } else output.data(text)
    },
    /** The last words may still be on their way when the task has ended; they are worth a moment, not a hang. */
    async outputSettled() {
      if (!showOutput) return
      const deadline = Date.now() + 3_000
      const settled = () => caughtUp && Date.now() - quietSince > 250
      while (!settled() && Date.now() < deadline) {
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
  return `${task.state}${worker}${phase}${attempt}${why === null ? '' : `: ${neutraliseLine(inWords(why, task))}`}`
}

/** The hub names a moment; whoever waits wants to know how long. */
function inWords(why: string, { notBefore }: Task): string {
  if (notBefore === null) return why
  const wait = formatDuration(Date.parse(notBefore) - Date.now())
  return why
    .replace(`next try not before ${notBefore}`, `next try in ${wait}`)
    .replace(`Not before ${notBefore}`, `Not before ${notBefore}, in ${wait}`)
}
