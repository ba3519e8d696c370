import { p, table } from '../main-job/report.ts'
import { kinds, type Kind } from './loops.ts'
import type { Memory } from './memory.ts'
import type { Seen } from './model-server.ts'
import { script } from './script.ts'

export type Found = {
  machine: string
  /** Of the machine for each core, before it began. */
  load: number
  commit: string
  command: string
  tasks: number
  seen: Record<Kind, Seen[]>
  /** Milliseconds of processor time of each task. */
  cpu: Record<Kind, number[]>
  memory: Memory | undefined
}

const bare: Kind = 'bare, files directly'
const bareWithItsTools: Kind = 'bare, in a wall'
const whole: Kind = 'ours, in a wall, durable'

/** The whole report, as it is printed and as docs/benchmarks-loop.md holds it. Every number was measured by this run. */
export function pageOf({ machine, load, commit, command, tasks, seen, cpu, memory }: Found): string {
  const gaps = (kind: Kind) => seen[kind].flatMap((each) => each.gaps)
  const tokens = (kind: Kind) =>
    p(
      seen[kind].map((each) => each.inputTokens),
      50,
    )
  const added = p(gaps(whole), 50) - p(gaps(bare), 50)
  // In thousandths: commands say how long they took, with as many digits as that has.
  const ratio = Math.round((tokens(whole) / tokens(bareWithItsTools)) * 1_000) / 1_000
  return `${[
    '# The loop beside a bare one',
    'Written by `npm run bench:loop -- --write`. Only ratios within this one run say anything about another machine.',
    block(`${machine}\ncommit ${commit}, ${command}`),
    ...(load < 1.5 ? [] : [busy(load)]),
    words(tasks),
    block(
      table([
        ['ms per step', 'p50', 'p99', 'beside bare', 'tokens asked', 'processor ms'],
        ...kinds.map((kind) => [
          kind,
          p(gaps(kind), 50).toFixed(1),
          p(gaps(kind), 99).toFixed(1),
          `${signed(p(gaps(kind), 50) - p(gaps(bare), 50))} ms`,
          tokens(kind).toFixed(0),
          p(cpu[kind], 50).toFixed(0),
        ]),
      ]),
    ),
    block(
      table([
        ['', 'aim', 'found', ''],
        // Of a whole round, although it is two of our steps: it is what the SDK calls one.
        ['added to a step, p50', '15 ms', `${added.toFixed(1)} ms`, added < 15 ? 'met' : 'missed'],
        [
          'tokens of a task, with the same tools',
          '1.000 x',
          `${ratio.toFixed(3)} x`,
          ratio <= 1 ? 'met' : 'missed',
        ],
      ]),
    ),
    ...byTool(seen[whole], seen[bare]),
    ...(memory === undefined ? [] : [memoryText(memory)]),
  ].join('\n\n')}\n`
}

function busy(load: number): string {
  return (
    `**The machine was busy:** each core had ${load.toFixed(1)} times what it can do before this began. The milliseconds are` +
    ' not those of a quiet one, and what waits for other processes, such as git in the wall, is slowed down the most.'
  )
}

function words(tasks: number): string {
  return [
    `${tasks} tasks of each kind, in turn, one after the other: ${script.length} answers of the model that call a tool each, and a final one.`,
    'A step is what lies between the end of an answer and the next question, seen by the server of the model: reading the',
    'answer, running the tool, asking again. Muster records two in it, the answer and what the tool said. The bare loop is',
    '`streamText` of the AI SDK with the same prompt, tools and answers. Durable: before the next begins, the files that were',
    'changed have left the wall as a commit in a bundle, and the step, what was said and the bundle are committed to a',
    'PostgreSQL with its durable defaults. Processor time is that of the process of the loop, for a whole task. The tools in',
    'the wall say a little more than those on the files directly, whoever asks.',
  ].join('\n')
}

/** Which steps the time goes into: the gap after answer n is that of its call. */
function byTool(ours: Seen[], direct: Seen[]): string[] {
  const at = (of: Seen[], index: number) =>
    p(
      of.map((each) => each.gaps[index] ?? Number.NaN),
      50,
    ).toFixed(1)
  const rows = (ours[0]?.gaps ?? []).map((_, index) => [
    script[index]?.name ?? '',
    at(direct, index),
    at(ours, index),
  ])
  return [block(table([['p50 ms of the step that calls', bare, whole], ...rows]))]
}

function memoryText({ runs, before, peak, tree, seconds }: Memory): string {
  return block(
    [
      `${runs} runs at once, in walls, durable: ${seconds.toFixed(1)} s`,
      `memory of this process: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`,
      `with their walls and tool programs ${tree.toFixed(0)} MB more than before, shared pages counted in each`,
    ].join('\n'),
  )
}

const block = (text: string) => `\`\`\`text\n${text}\n\`\`\``
const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(1)}`
