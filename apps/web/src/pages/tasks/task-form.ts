import { taskCreate, type TaskCreateInput } from '@muster/contract/tasks'
import type { checkKinds } from '@muster/contract/checks'
import type { Lane } from '@muster/contract/task-states'

export type CheckKind = (typeof checkKinds)[number]
export type CheckDraft = { key: number; kind: CheckKind; target: string }

/** The form as it is typed; every field is text until it is handed in. */
export type TaskDraft = {
  repo: string
  title: string
  /** What does it: a command, or an agent with a model. */
  by: 'command' | 'prompt'
  run: string
  prompt: string
  model: string
  checks: CheckDraft[]
  lane: Lane
  minutes: string
  mayChange: string
}

export const emptyDraft: TaskDraft = {
  repo: '',
  title: '',
  by: 'command',
  run: '',
  prompt: '',
  model: '',
  checks: [],
  lane: 'normal',
  minutes: '',
  mayChange: '',
}

/** Problems by field: `title`, `checks.0.target`, … */
export type FieldProblems = Record<string, string>

export function bodyOf(draft: TaskDraft): TaskCreateInput {
  const mayChange = draft.mayChange.split('\n').flatMap((glob) => (glob.trim() === '' ? [] : [glob.trim()]))
  return {
    repo: draft.repo,
    title: draft.title.trim(),
    ...(draft.by === 'command' ? { run: draft.run } : { prompt: draft.prompt }),
    ...(draft.by === 'command' || draft.model.trim() === '' ? {} : { model: draft.model.trim() }),
    checks: draft.checks.map(({ kind, target }) => ({
      kind,
      target: kind === 'git_clean' ? '' : target.trim(),
    })),
    lane: draft.lane,
    ...(mayChange.length === 0 ? {} : { mayChange }),
    ...(draft.minutes.trim() === '' ? {} : { timeoutMs: Math.round(Number(draft.minutes) * 60_000) }),
  }
}

/** The hub's own rules, applied before asking it: the same schema, so the same answers. */
export function problemsOf(draft: TaskDraft): FieldProblems {
  const problems: FieldProblems = {}
  if (draft.repo === '') problems['repo'] = 'Choose a repository.'
  if (draft.title.trim() === '') problems['title'] = 'Say in one line what should be done.'
  if (draft.by === 'command' && draft.run.trim() === '') problems['run'] = 'Give the command to run.'
  if (draft.by === 'prompt' && draft.prompt.trim() === '') problems['prompt'] = 'Say what is to be done.'
  const parsed = taskCreate.safeParse(bodyOf(draft))
  for (const issue of parsed.error?.issues ?? []) problems[issue.path.join('.')] ??= sentence(issue.message)
  if (problems['timeoutMs'] !== undefined) {
    problems['timeoutMs'] = 'Between one second (0.02) and one day (1440) in minutes.'
  }
  return problems
}

/** Puts a refusal of the hub beside its field, where its message opens with the name of one. */
export function problemOfRefusal(message: string): FieldProblems {
  const match =
    /^(?:body[./])?(repo|title|run|prompt|model|lane|timeoutMs|mayChange|checks(?:[./]\d+[./]\w+)?)\b[\s:]+(.+)$/s.exec(
      message,
    )
  if (match === null) return {}
  return { [(match[1] ?? '').replaceAll('/', '.')]: sentence(match[2] ?? message) }
}

function sentence(text: string): string {
  const start = /^[a-z]+_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)
  return `${start}${/[.!?]$/.test(text) ? '' : '.'}`
}
