import { lanes } from '@muster/contract/task-states'
import { readPracticeScript } from '@muster/llm/practice-script'
import type { TaskCreate } from '@muster/contract/tasks'
import type { Actor } from '../kernel/actor.ts'
import { MusterError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import { guessTier } from './complexity.ts'
import { defaultTimeoutMs } from './limits.ts'
import { defaultRetries } from './retry-policy.ts'
import type { NewTask, StoredTask } from './store.ts'

/** What the words of a submission mean in its workspace. */
export type Meant = {
  repo: { id: string; name: string }
  onlyWorkerId: string | null
  /** A task that it names is not done yet. */
  isOpen: boolean
}

/** The row of a task as it begins: queued, or waiting while a task it depends on is not done. */
export function newTask(actor: Actor, input: TaskCreate, { repo, onlyWorkerId, isOpen }: Meant): NewTask {
  const guessed = guessTier(input)
  const tier = input.tier ?? guessed
  return {
    id: newId(),
    repo_id: repo.id,
    repo: repo.name,
    title: input.title,
    description: input.description ?? null,
    spec: specOf(input, tier, onlyWorkerId),
    lane: lanes.indexOf(input.lane),
    tier,
    guessed_tier: guessed,
    retries: input.retries ?? defaultRetries(input),
    only_worker: input.worker ?? null,
    state: isOpen ? 'waiting' : 'queued',
    complete_by: input.completeBy ?? null,
    created_by: actor.label,
  }
}

/** What the queue calls the practice model, so that no endpoint is looked for. */
export const practiceModel = 'practice'

/** This version has namespace walls without a network; it says so instead of queueing for ever. */
export function refuseUnsupported(input: TaskCreate): void {
  if ((input.run === undefined) === (input.prompt === undefined)) {
    const what = input.run === undefined ? 'neither a command nor a prompt' : 'both a command and a prompt'
    throw new MusterError('nothing_to_do', `The task has ${what}.`)
  }
  refuseBadPractice(input)
  if (input.wall !== 'namespace') {
    throw new MusterError('wall_not_supported', `No worker of this version offers a ${input.wall} wall.`)
  }
  if (input.network !== 'none') {
    throw new MusterError(
      'wall_not_supported',
      `No wall of this version offers the network "${input.network}".`,
    )
  }
}

/** The practice model plays scripts and never pretends to think, so it is not to be had without one. */
function refuseBadPractice({ practice, model, run }: TaskCreate): void {
  if (practice === undefined) {
    if (model !== practiceModel) return
    throw new MusterError('practice_script_invalid', 'The practice model needs a script.')
  }
  if (run !== undefined) throw new MusterError('practice_script_invalid', 'A command needs no model.')
  if (model !== undefined && model !== practiceModel) {
    throw new MusterError(
      'practice_script_invalid',
      `The script is for the practice model, not for ${model}.`,
    )
  }
  const read = readPracticeScript(practice)
  if ('problem' in read) throw new MusterError('practice_script_invalid', read.problem)
}

/** By this hub's clock, and only to answer early: whether the time has come is decided by the database. */
export function refusePast({ completeBy, delayMs = 0 }: TaskCreate): void {
  if (completeBy !== undefined && Date.parse(completeBy) <= Date.now() + delayMs) {
    throw new MusterError('deadline_past', `It cannot be complete by ${completeBy}.`)
  }
}

function specOf(
  input: TaskCreate,
  tier: StoredTask['tier'],
  onlyWorkerId: string | null,
): StoredTask['spec'] {
  return {
    run: input.run ?? null,
    prompt: input.prompt ?? null,
    model: input.practice === undefined ? (input.model ?? null) : practiceModel,
    practice: input.practice ?? null,
    fixes: input.fixes,
    budgetUsd: input.budgetUsd ?? null,
    checks: input.checks.map(({ kind, target, timeoutMs }) => ({
      kind,
      target,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })),
    needs: [...new Set(input.needs)],
    fileHints: input.fileHints,
    criteria: input.criteria,
    metadata: input.metadata,
    onlyWorkerId,
    delayMs: input.delayMs ?? 0,
    ttlMs: input.ttlMs ?? null,
    mayChange: input.mayChange,
    allowEmpty: input.allowEmpty,
    wall: input.wall,
    network: input.network,
    timeoutMs: input.timeoutMs ?? defaultTimeoutMs[tier],
  }
}
