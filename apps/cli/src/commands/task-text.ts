import type { CheckResult, Proof } from '@muster/contract/checks'
import type { Task } from '@muster/contract/tasks'
import type { Hub } from '../connection.ts'
import { formatDuration } from '../duration.ts'
import { type Colour, type Output, renderTable } from '../output.ts'
import { neutralise, neutraliseLine } from '../terminal-text.ts'

/** What a person wants to know about a task: how it stands, why, what proves it, and where to look at the work. */
export async function taskText(output: Output, hub: Hub, task: Task): Promise<string> {
  const url = task.branch === null ? null : await repoUrl(hub, task.repo)
  const parts = [
    heading(output, task),
    facts(output, task),
    evidence(output, task.checks),
    proofText(task.proof),
  ]
  const commands = [
    ...(task.branch === null ? [] : lookCommands(url, task.branch)),
    // What the checks printed is above; what the command itself printed is often why there was nothing to check.
    ...(task.state === 'dead' ? [`npx muster task log ${task.short}`] : []),
  ]
  if (commands.length > 0) parts.push(`Look at it:\n${commands.map((command) => `  ${command}\n`).join('')}`)
  return parts.filter((part) => part !== '').join('\n')
}

export function stateColour(state: Task['state']): Colour {
  if (state === 'done') return 'green'
  if (state === 'dead') return 'red'
  return state === 'cancelled' || state === 'draft' ? 'dim' : 'cyan'
}

function heading(output: Output, task: Task): string {
  const ending = task.ending === null || task.ending === task.state ? '' : ` (${task.ending})`
  const state = output.paint(stateColour(task.state), `${task.state}${ending}`)
  const reason = task.reason === null ? '' : `${neutraliseLine(task.reason)}\n`
  return `${output.paint('bold', neutraliseLine(task.title))}\n${state}\n${reason}`
}

function facts(output: Output, task: Task): string {
  const took =
    task.startedAt === null || task.endedAt === null
      ? null
      : formatDuration(Date.parse(task.endedAt) - Date.parse(task.startedAt))
  const lines: [string, string | null][] = [
    ['task', `${task.short} (${task.id})`],
    ['repo', task.repo],
    ['run', task.run],
    ['prompt', task.prompt],
    ['model', modelOf(task)],
    ['branch', task.branch],
    ['commit', task.commit],
    ['worker', task.worker],
    ['tries', triesOf(task)],
    ['needs', task.needs.length > 0 ? task.needs.join(', ') : null],
    ['only', task.onlyWorker],
    ['chosen', task.assigned?.reason ?? null],
    ['wall', `${task.wall}, network ${task.network}`],
    ['limit', formatDuration(task.timeoutMs)],
    ['due', task.completeBy],
    ['expires', task.expiresAt],
    [
      'tier',
      task.tier === task.guessedTier ? task.tier : `${task.tier} (its words suggest ${task.guessedTier})`,
    ],
    ['after', task.after.length > 0 ? task.after.map((id) => id.slice(-8)).join(' ') : null],
    ['created', `${task.createdAt} by ${task.createdBy}`],
    ['took', took],
  ]
  return lines
    .flatMap(([name, value]) =>
      value === null ? [] : [`${output.paint('dim', name.padEnd(8))} ${indent(value)}\n`],
    )
    .join('')
}

/** Whom it asks, and why; a rehearsal is called one wherever it is seen. */
function modelOf({ assigned, model, practice }: Task): string | null {
  if (practice) return 'practice: plays a script and has no intelligence'
  const chosen = assigned?.model
  if (chosen == null) return model
  return `${chosen.name} at ${chosen.endpoint} (${chosen.provider}, ${chosen.costClass})`
}

/** Runs so far. Those that a lost worker or a person cut short cost no retry. */
function triesOf({ attempt, failures, retries }: Task): string | null {
  if (attempt === 0) return null
  return failures === 0 ? String(attempt) : `${attempt} (${failures} of ${retries} retries used)`
}

function indent(value: string): string {
  return neutralise(value)
    .trimEnd()
    .replaceAll('\n', `\n${' '.repeat(9)}`)
}

function evidence(output: Output, checks: CheckResult[]): string {
  if (checks.length === 0) return ''
  const table = renderTable(
    [{ name: 'check' }, { name: 'target', cut: true }, { name: 'status' }, { name: 'took', drop: 1 }],
    checks.map((check) => [check.kind, check.target, check.status, formatDuration(check.ms)]),
    output.terminal ? output.columns : Number.POSITIVE_INFINITY,
  )
  const failed = checks.filter((check) => check.status !== 'pass')
  const details = failed.map((check) => {
    const name = neutraliseLine(`${check.kind} ${check.target}`).trimEnd()
    const title = `${name}: ${neutraliseLine(check.reason ?? check.status)}`
    const body = neutralise(check.output).trimEnd()
    return `\n${output.paint('red', title)}\n${body === '' ? '' : `${body.replaceAll(/^/gm, '  ')}\n`}`
  })
  return table + details.join('')
}

/** A run that touched what proves it was judged by the old proof; whoever reads the evidence has to know. */
function proofText(proof: Proof | null): string {
  if (proof === null) return ''
  const lines = (['restored', 'removed', 'merged'] as const).flatMap((what) =>
    proof[what].map(({ path, why }) => `  ${what} ${neutraliseLine(path)} (${neutraliseLine(why)})\n`),
  )
  return lines.length === 0
    ? ''
    : `The run changed files that define the proof; for the checks they were:\n${lines.join('')}`
}

function lookCommands(url: string | null, branch: string): string[] {
  if (url === null) return [`git show ${shellWord(branch)}`]
  const path = url.startsWith('file://') ? decodeURIComponent(new URL(url).pathname) : url
  if (path.startsWith('/')) return [`git -C ${shellWord(path)} show ${shellWord(branch)}`]
  return [`git fetch ${shellWord(url)} ${shellWord(branch)} && git show FETCH_HEAD`]
}

/** Printed to be pasted into a shell, so it must not be able to say anything else there. */
export function shellWord(text: string): string {
  const line = neutraliseLine(text)
  return /^[\w@%+=:,./-]+$/.test(line) ? line : `'${line.replaceAll("'", `'\\''`)}'`
}

async function repoUrl(hub: Hub, name: string): Promise<string | null> {
  const { items } = await hub.call('listRepos', {})
  return items.find((repo) => repo.name === name)?.url ?? null
}
