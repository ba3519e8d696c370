import type { EventFact } from './story.ts'

export type Folded = { state: string; epoch: number; ends: number }

/**
 * The state of a task as somebody knows it who has read nothing but its events, in the order of the cursor (I-5).
 * An event that cannot follow on the state before it is a violation too: `impossible` names it.
 */
export function fold(events: readonly EventFact[]): Folded & { impossible: string[] } {
  const impossible: string[] = []
  let now: Folded = { state: 'none', epoch: 0, ends: 0 }
  for (const event of events) {
    const step = steps[event.kind]
    if (step === undefined) continue
    if (!step.from.includes(now.state)) impossible.push(`${event.kind} on a task that is ${now.state}`)
    now = step.to(now, event.data)
  }
  return { ...now, impossible }
}

type Step = { from: string[]; to: (now: Folded, data: Record<string, unknown>) => Folded }
const open = ['queued', 'waiting', 'assigned', 'running', 'verifying']
const held = ['assigned', 'running', 'verifying']
const end = (state: string) => (now: Folded) => ({ ...now, state, ends: now.ends + 1 })

/** Events that say nothing about the state, such as a granted branch, are not in here. */
const steps: Record<string, Step> = {
  'task.created': { from: ['none'], to: (now, data) => ({ ...now, state: String(data['state']) }) },
  'task.released': { from: ['waiting'], to: (now) => ({ ...now, state: 'queued' }) },
  'task.assigned': {
    from: ['queued'],
    to: (now, data) => ({ ...now, state: 'assigned', epoch: Number(data['epoch']) }),
  },
  'task.accepted': { from: held, to: (now) => now },
  'task.phase': { from: held, to: (now, data) => ({ ...now, state: stateIn(String(data['phase'])) }) },
  'task.requeued': { from: held, to: (now) => ({ ...now, state: 'queued' }) },
  'task.retrying': { from: held, to: (now) => ({ ...now, state: 'queued' }) },
  // Its lease had been given up and nobody had taken the task since.
  'task.late_result': { from: ['queued'], to: (now) => ({ ...now, state: 'verifying' }) },
  'task.done': { from: held, to: end('done') },
  'task.dead': { from: [...held, 'queued'], to: end('dead') },
  'task.cancelled': { from: open, to: end('cancelled') },
  'task.retried': {
    from: ['dead', 'cancelled'],
    to: (now, data) => ({ ...now, state: String(data['state']), ends: now.ends - 1 }),
  },
}

function stateIn(phase: string): string {
  return phase === 'verifying' || phase === 'publishing' ? 'verifying' : 'running'
}
