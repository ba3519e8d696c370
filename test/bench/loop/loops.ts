import { runLoop, type LoopCheckpoint } from '@muster/agent/loop/loop'
import { begin } from '@muster/agent/loop/progress'
import { systemPrompt } from '@muster/agent/loop/prompt'
import { limitsFor } from '@muster/agent/loop/tiers'
import type { Toolbox } from '@muster/agent/loop/toolbox'
import { toolSpecs } from '@muster/agent/tools/specs'
import { createModel } from '@muster/llm/providers/create-model'
import { bareLoop } from './bare-loop.ts'
import type { Seen } from './model-server.ts'
import type { Place, Room } from './place.ts'
import { answer, files, script } from './script.ts'

const task = 'Prices must be rounded to whole cents.'
const system = systemPrompt({
  tools: toolSpecs,
  repository: 'shop',
  branch: 'muster/bench/round',
  tree: Object.keys(files).join('\n'),
  keyFiles: [{ path: 'package.json', text: files['package.json'] ?? '' }],
  criteria: [],
  checks: [{ kind: 'test_passes', target: 'auto' }],
  mayChange: [],
})

export const kinds = [
  'bare, files directly',
  'ours, files directly',
  'bare, in a wall',
  'ours, in a wall',
  'ours, in a wall, durable',
] as const
export type Kind = (typeof kinds)[number]

/** One task from its first question to its answer, as the server of models saw it. */
export async function runTask(place: Place, kind: Kind): Promise<Seen> {
  const room = kind.includes('wall') ? await place.walled() : await place.direct()
  try {
    const url = place.url(room.name)
    const keep = kind.endsWith('durable') ? keeper(place, room) : async () => undefined
    const text = kind.startsWith('bare')
      ? await bareLoop(url, system, task, room.toolbox)
      : await ourLoop(url, room.toolbox, keep)
    if (text !== answer) throw new Error(`${kind} ended with ${JSON.stringify(text)}`)
    const seen = await place.seen(room.name)
    if (seen.questions !== script.length + 1) throw new Error(`${kind} asked ${seen.questions} times.`)
    return seen
  } finally {
    await room.close()
  }
}

type Keep = (checkpoint: LoopCheckpoint) => Promise<{ changed: boolean } | undefined>

async function ourLoop(url: string, toolbox: Toolbox, checkpoint: Keep): Promise<string> {
  const end = await runLoop({
    model: createModel({ provider: 'openai', baseUrl: `${url}/v1`, name: 'scripted', contextTokens: 32_768 }),
    toolbox,
    progress: begin(system, task),
    limits: limitsFor('complex'),
    budget: { costOf: () => 0 },
    on: { delta: () => {}, checkpoint },
    signal: new AbortController().signal,
  })
  return end.kind === 'final_answer' ? end.text : `${end.kind}: ${'reason' in end ? end.reason : ''}`
}

/** What a step must wait for: the files as a commit out of the wall, and all of it committed to a durable PostgreSQL. */
function keeper({ database }: Place, room: Room): Keep {
  return async ({ step, added, state, changed }) => {
    const files = changed ? await room.checkpoint?.() : undefined
    if (files?.error !== undefined) throw new Error(files.error)
    const values = [
      room.name,
      step.seq,
      JSON.stringify(step),
      JSON.stringify(added),
      JSON.stringify(state),
      files?.bundle,
    ]
    await database.query('insert into steps values ($1, $2, $3, $4, $5, $6)', values)
    return files
  }
}
