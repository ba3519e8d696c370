import { page } from '@muster/contract/tasks'
import { event, type Event } from '@muster/contract/events'
import { task } from '@muster/contract/tasks'
import type { Stack } from '../../scenarios/stack.ts'
import { logOf, untilEnded } from '../../scenarios/tasks-of.ts'
import { p, table } from './report.ts'

export type Latency = { startMs: number[]; doneMs: number[]; phases: string }

/** One task at a time. The command itself says when it runs, by the clock that this process reads, too. */
export async function measureLatency(stack: Stack, count: number): Promise<Latency> {
  const startMs: number[] = []
  const doneMs: number[] = []
  const steps = new Map<string, number[]>()
  for (let at = 0; at < count; at += 1) {
    const body = {
      repo: 'bench',
      title: `Latency ${at}`,
      run: 'date +started=%s.%N; echo x > x',
      checks: [{ kind: 'file_exists', target: 'x' }],
    }
    const sent = Date.now()
    const answer = await stack.api('/tasks', { method: 'POST', body })
    const { id } = task.parse(answer.body)
    const ended = await untilEnded(stack, id)
    if (ended.state !== 'done') throw new Error(`task ${id} ended as ${ended.ending}: ${ended.reason}`)
    const started = /^started=([\d.]+)$/m.exec(await logOf(stack, id))?.[1]
    startMs.push(Number(started) * 1_000 - sent)
    doneMs.push(Date.parse(String(ended.endedAt)) - sent)
    for (const [name, ms] of stepsOf(await eventsOf(stack, id))) {
      steps.set(name, [...(steps.get(name) ?? []), ms])
    }
  }
  const rows = [...steps].map(([name, values]) => [name, p(values, 50).toFixed(0), p(values, 99).toFixed(0)])
  return { startMs, doneMs, phases: table([['ms from one event to the next', 'p50', 'p99'], ...rows]) }
}

async function eventsOf(stack: Stack, id: string): Promise<Event[]> {
  return page(event).parse((await stack.api(`/events?taskId=${id}&limit=500`)).body).items
}

function stepsOf(events: Event[]): [string, number][] {
  const named = events.map((each) => ({
    name: each.kind === 'task.phase' ? String(each.data['phase']) : each.kind,
    at: Date.parse(each.at),
  }))
  return named.flatMap((each, at) => {
    const next = named[at + 1]
    return next === undefined ? [] : [[`${each.name} -> ${next.name}`, next.at - each.at] as [string, number]]
  })
}
