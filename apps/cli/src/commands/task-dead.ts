import { ending as endings, type Ending } from '@muster/contract/task-states'
import type { TaskSelection } from '@muster/contract/queue'
import type { Command, Context } from '../context.ts'
import { exits } from '../exit-code.ts'
import { Failure } from '../failure.ts'

type Chosen = { ending?: string; repo?: string }

export const listDead: Command<Chosen> = async ({ output, ...context }, options) => {
  const ending = endingOf(options)
  const hub = await context.hub()
  const query = { state: 'dead', limit: 200, ...(options.repo === undefined ? {} : { repo: options.repo }) }
  const found = await hub.call('listTasks', { query })
  const items = found.items.filter((task) => ending === undefined || task.ending === ending)
  if (output.json) output.document({ ...found, items })
  else if (items.length === 0) output.note(isNarrowed(options) ? 'No dead task fits.' : 'No task is dead.')
  else {
    output.table(
      [
        { name: 'task' },
        { name: 'ending' },
        { name: 'tries', drop: 2 },
        { name: 'repo', drop: 1 },
        { name: 'title', cut: true },
      ],
      items.map((task) => [task.short, task.ending ?? '', String(task.attempt), task.repo, task.title]),
    )
    if (found.nextCursor !== null) output.note('There are more; these are the newest 200.')
    output.note(
      'Why: npx muster task show TASK   Again: npx muster task retry TASK   All: npx muster task dead retry',
    )
  }
  return 0
}

export const retryDead: Command<Chosen> = (context, options) =>
  inBulk(context, 'retryTasks', options, 'queued again')

/** Nothing brings a deleted task back, so the words that would delete many at once have to be meant. */
export const deleteDead: Command<Chosen & { yes?: boolean }> = (context, options) => {
  if (options.yes !== true) {
    endingOf(options)
    throw new Failure(
      'usage',
      'This would delete every dead task that fits, with its runs and their output.',
      'See which: npx muster task dead list. If you mean it, add --yes.',
    )
  }
  return inBulk(context, 'deleteTasks', options, 'deleted')
}

/** Goes on until nothing fits any more. What is refused fits again, so a round that changed nothing is the last. */
async function inBulk(
  { output, ...context }: Context,
  name: 'retryTasks' | 'deleteTasks',
  options: Chosen,
  done: string,
): Promise<number> {
  const ending = endingOf(options)
  const body: Partial<TaskSelection> = {
    ...(ending === undefined ? {} : { ending }),
    ...(options.repo === undefined ? {} : { repo: options.repo }),
  }
  const hub = await context.hub()
  const changed: string[] = []
  let last = await hub.call(name, { body })
  changed.push(...last.changed)
  while (last.more && last.changed.length > 0) {
    last = await hub.call(name, { body })
    changed.push(...last.changed)
  }
  if (output.json) output.document({ changed, refused: last.refused })
  else {
    output.line(`${changed.length} ${done}`)
    for (const { id, message } of last.refused) output.note(`${id.slice(-8)} was refused: ${message}`)
  }
  return last.refused.length === 0 ? exits.ok : exits.conflict
}

const neverDead: Ending[] = ['verified', 'cancelled']

function isNarrowed({ ending, repo }: Chosen): boolean {
  return ending !== undefined || repo !== undefined
}

function endingOf({ ending }: Chosen): Ending | undefined {
  if (ending === undefined) return undefined
  const parsed = endings.safeParse(ending)
  if (parsed.success && !neverDead.includes(parsed.data)) return parsed.data
  const words = endings.options.filter((word) => !neverDead.includes(word))
  throw new Failure('usage', `No dead task ends as "${ending}".`, `One of ${words.join(', ')}.`)
}
