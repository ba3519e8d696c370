import type { Assignment } from '@muster/contract/wire'

const names = ['TASK_ID', 'TASK_JSON', 'TASK_DESCRIPTION'] as const
type Name = (typeof names)[number]
const placeholder = /\$\{([^}]*)\}/g

/**
 * The operator's wake command as words, split once and by us: no shell ever sees it, and what a task says is put into
 * words that exist already. So no text of a task can add a word, end a quote or start a program. Quotes and backslashes
 * mean what they mean in a shell; nothing else does. Throws a sentence.
 */
export function splitCommand(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at)
    const next = line.charAt(at + 1)
    if (quote === "'") quote = char === "'" ? '' : ((word += char), quote)
    else if (char === '\\' && next !== '' && (quote === '' || '"\\$`'.includes(next))) {
      word = (word ?? '') + next
      at++
    } else if (quote === '"') quote = char === '"' ? '' : ((word += char), quote)
    else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== '') throw new Error(`a ${quote} is not closed`)
  if (word !== undefined) words.push(word)
  refuseUnknown(words)
  return words
}

function refuseUnknown(words: string[]): void {
  const [program] = words
  if (program === undefined) throw new Error('is empty')
  if (program.includes('${')) throw new Error('the program itself must not come from a task')
  for (const [whole, name = ''] of words.flatMap((word) => [...word.matchAll(placeholder)])) {
    if (!names.includes(name as Name))
      throw new Error(`${whole} is none of ${names.map((known) => `\${${known}}`).join(', ')}`)
  }
}

/** One pass, so that a placeholder inside a task's own text stays text. */
export function fillWords(words: readonly string[], values: Record<Name, string>): string[] {
  return words.map((word) => word.replace(placeholder, (_, name: Name) => values[name]))
}

/** Bounded well below what Linux allows one argument (128 KiB): the long parts of an assignment are left out. */
export function valuesOf(assignment: Assignment): Record<Name, string> {
  const { taskId, runId, attempt, title, description, repo, agent, branch, wall, network, timeoutMs } =
    assignment
  const told = {
    taskId,
    runId,
    attempt,
    title,
    description: description ?? null,
    repo,
    agent,
    branch,
    wall,
    network,
  }
  return {
    TASK_ID: taskId,
    TASK_JSON: JSON.stringify({ ...told, timeoutMs }),
    // An argument ends at NUL.
    TASK_DESCRIPTION: (description ?? title).replaceAll('\0', '\uFFFD'),
  }
}
